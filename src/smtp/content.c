/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "smtp/content.h"
#include "util/deadline.h"

/*
 * The refusal among all that are there that decides, instead of @reply, the
 * first; it does not wait for any.  NULL: the host has accepted the content
 * as well.
 */
static struct reply *
deciding_refusal(struct dialogue *dialogue, struct reply *reply)
{
	gint64 limit =
	    MIN(deadline_in(DIALOGUE_OUT_OF_TURN_SPAN), dialogue->deadline);
	g_autoptr(Reply) first = reply;

	while (peer_has_spoken(dialogue->peer) && deadline_left(limit) > 0) {
		g_autoptr(Reply) next =
		    peer_reply(dialogue->peer, deadline_in(0), NULL);

		if (next == NULL)
			break;
		/* 220 and 221 are of the session. */
		if (next->code / 10 == 25)
			return NULL;
		/* 421 behind a refusal says that the host closes. */
		if (first->code / 100 == 5 && next->code / 100 == 4 &&
		    next->code != 421) {
			reply_free(first);
			first = g_steal_pointer(&next);
		}
	}
	return g_steal_pointer(&first);
}

/* Takes @reply, the first that is no success. */
static int
settle_refusal(struct dialogue *dialogue, enum stage stage, struct reply *reply)
{
	g_autoptr(Reply) first = reply;
	g_autoptr(Reply) deciding = NULL;

	if (first->code < 400) {
		dialogue_settle(dialogue, stage, first);
		return 0;
	}
	deciding = deciding_refusal(dialogue, g_steal_pointer(&first));
	if (deciding == NULL) {
		dialogue_fail(dialogue, stage, "contradictory replies");
		return 0;
	}
	dialogue_settle(dialogue, stage, deciding);
	return deciding->code;
}

/* A refusal amid the content: nothing more of it is sent. */
static void
settle_premature(struct dialogue *dialogue, struct reply *reply)
{
	settle_refusal(dialogue, STAGE_CONTENT, reply);
	dialogue->over = TRUE;
}

static void
fail_content(struct dialogue *dialogue, const GError *error)
{
	struct reply *reply = NULL;

	if (error->domain == MESSAGE_ERROR) {
		dialogue_fail_here(dialogue, STAGE_CONTENT, error->message);
		return;
	}
	if (g_error_matches(error, PEER_ERROR, PEER_ERROR_SPOKE))
		reply = dialogue_reply(dialogue, STAGE_CONTENT);
	else if (g_error_matches(error, PEER_ERROR, PEER_ERROR_LOST))
		/* It may have said why, and then closed. */
		reply = peer_reply(dialogue->peer, deadline_in(0), NULL);
	if (reply != NULL)
		settle_premature(dialogue, reply);
	else
		dialogue_fail_error(dialogue, STAGE_CONTENT, error);
}

/* NULL: the session is over. */
static struct reply *
final_reply(struct dialogue *dialogue)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *what = NULL;
	struct reply *reply;
	gboolean accepted = TRUE; /* for all we know */

	reply = peer_reply(dialogue->peer,
	    dialogue_deadline(dialogue, STAGE_FINAL), &error);
	if (reply != NULL)
		return reply;
	if (!g_error_matches(error, PEER_ERROR, PEER_ERROR_NONSENSE))
		accepted = !peer_take_back(dialogue->peer);
	what = dialogue_what(dialogue, STAGE_FINAL, error);
	dialogue_fail(dialogue, accepted ? STAGE_FINAL : STAGE_CONTENT, what);
	return NULL;
}

/* The first reply decides, whatever comes behind it. */
static int
settle_all(struct dialogue *dialogue)
{
	g_autoptr(Reply) reply = final_reply(dialogue);

	if (reply == NULL)
		return 0;
	if (!outcome_is_success(STAGE_FINAL, reply))
		return settle_refusal(dialogue, STAGE_FINAL,
		    g_steal_pointer(&reply));
	dialogue_settle(dialogue, STAGE_FINAL, reply);
	return reply->code;
}

/*
 * RFC 2033 section 4.2: a reply for each recipient that RCPT was accepted for,
 * in their order.  Whoever has none when the connection is lost is unsure.
 * Returns the last one that is no success, if there is any.
 */
static int
settle_each(struct dialogue *dialogue)
{
	struct transaction *transaction = dialogue->transaction;
	int code = 0;

	for (guint i = 0; i < transaction->count; i++) {
		g_autoptr(Reply) reply = NULL;

		if (transaction->settled[i])
			continue;
		reply = final_reply(dialogue);
		if (reply == NULL)
			return 0;
		if (reply->code < 400 &&
		    !outcome_is_success(STAGE_FINAL, reply)) {
			dialogue_settle(dialogue, STAGE_FINAL, reply);
			return 0;
		}
		transaction_answer(transaction, i, STAGE_FINAL, reply);
		if (code == 0 || code / 100 == 2)
			code = reply->code;
	}
	return code;
}

int
content_carry(struct dialogue *dialogue, struct message *message)
{
	g_autoptr(GError) error = NULL;

	if (!peer_send_content(dialogue->peer, message,
		dialogue_span(dialogue, STAGE_CONTENT), dialogue->deadline,
		&error)) {
		fail_content(dialogue, error);
		return 0;
	}
	return dialogue->each ? settle_each(dialogue) : settle_all(dialogue);
}
