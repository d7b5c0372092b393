/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "smtp/farewell.h"
#include "util/deadline.h"

/*
 * May the refusal for good be an echo?  A host that answers a command twice
 * would have the second reply taken for that to the next one.  It takes an
 * earlier refusal to have a false one that way; and 354 goes to DATA alone, so
 * that from there on all is in step.
 */
static gboolean
is_doubtful(const struct dialogue *dialogue)
{
	const struct outcome *bounce =
	    transaction_bounce(dialogue->transaction);

	return bounce != NULL && bounce->stage <= STAGE_DATA &&
	    dialogue->refusals > 1;
}

/*
 * Only if QUIT's reply comes next was the dialogue in step.  A host that says
 * nothing more has the benefit of the doubt.
 */
static void
confirm_bounce(struct dialogue *dialogue)
{
	struct transaction *transaction = dialogue->transaction;
	enum stage stage = transaction_bounce(transaction)->stage;
	g_autoptr(GError) error = NULL;
	g_autoptr(Reply) reply = NULL;

	reply = peer_reply(dialogue->peer,
	    MIN(deadline_in(DIALOGUE_OUT_OF_TURN_SPAN), dialogue->deadline),
	    &error);
	if (reply == NULL) {
		if (!g_error_matches(error, PEER_ERROR, PEER_ERROR_NONSENSE))
			return;
	} else if (reply->code == 221 || reply->code == 421) {
		return;
	}
	transaction_reopen(transaction);
	dialogue_fail(dialogue, stage, "replies out of step");
}

void
farewell_say(struct dialogue *dialogue, const char *command)
{
	g_autoptr(GError) error = NULL;

	if (peer_send(dialogue->peer, command, strlen(command), deadline_in(0),
		&error) &&
	    is_doubtful(dialogue))
		confirm_bounce(dialogue);
}
