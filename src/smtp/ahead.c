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

char *
ahead_list(const struct carrier *carrier)
{
	GString *text = g_string_new(NULL);
	guint count = carrier->dialogue.transaction->count;

	for (guint i = 0; i < 1 + count; i++)
		g_string_append(text, "250 -\r\n");
	g_string_append(text, "354 -\r\n250 -\r\n");
	return g_string_free(text, FALSE);
}

void
ahead_answer(struct carrier *carrier)
{
	g_autofree char *answers = ahead_list(carrier);

	if (!session_answer(carrier->session, answers))
		carrier->dialogue.over = TRUE;
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
