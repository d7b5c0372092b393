/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "smtp/ahead.h"
#include "smtp/terms.h"

gboolean
ahead_as_one(const struct carrier *carrier)
{
	return !carrier->job->inquiry && carrier->opening.offer.pipelining &&
	    (carrier->job->partial ||
		carrier->dialogue.transaction->count == 1);
}

gboolean
ahead_is_sure(const struct carrier *carrier)
{
	return ahead_as_one(carrier) &&
	    terms_are_met(&carrier->opening.offer, carrier->job);
}

void
ahead_answer(struct carrier *carrier)
{
	guint count = carrier->dialogue.transaction->count;

	for (guint i = 0; i < 1 + count; i++)
		session_tell_code(carrier->session, 250);
	/* The content is for the host alone: see the carrier's pass_reply(). */
	session_tell_code(carrier->session, 554);
	session_tell_code(carrier->session, 221);
	carrier->answered = TRUE;
}

gboolean
ahead_is_whole(struct carrier *carrier)
{
	guint count = carrier->dialogue.transaction->count;

	if (carrier->rcpt_sent == count &&
	    (!ahead_as_one(carrier) || carrier->held->len == 1 + count))
		return TRUE;
	dialogue_fail_here(&carrier->dialogue, STAGE_DATA,
	    "libESMTP: lost a command");
	return FALSE;
}
