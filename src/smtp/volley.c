/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "smtp/volley.h"

/*
 * Commands sent ahead of their replies: fewer than any socket's buffer holds,
 * so that neither side waits for the other (RFC 2920 section 3.1).
 */
#define AHEAD_MAX 100

static void
take_rcpt_reply(struct dialogue *dialogue, guint i, const struct reply *reply)
{
	struct transaction *transaction = dialogue->transaction;

	/* After a refusal of MAIL it says nothing. */
	if (transaction->settled[i] || outcome_is_success(STAGE_RCPT, reply))
		return;
	if (reply->code == 421 || reply->code < 400)
		dialogue_settle(dialogue, STAGE_RCPT, reply);
	else
		transaction_refuse(transaction, i, reply);
}

/* The reply to the command number @i. */
static void
take_reply(struct dialogue *dialogue, guint i, gboolean *ret_accepted)
{
	enum stage stage = i == 0 ? STAGE_MAIL : STAGE_RCPT;
	g_autoptr(Reply) reply = dialogue_reply(dialogue, stage);

	if (reply == NULL)
		return;
	if (i > 0)
		take_rcpt_reply(dialogue, i - 1, reply);
	else if (outcome_is_success(STAGE_MAIL, reply))
		*ret_accepted = TRUE;
	else
		dialogue_settle(dialogue, STAGE_MAIL, reply);
}

/* TRUE: it is 354, and somebody is to have the content. */
static gboolean
take_data_reply(struct dialogue *dialogue)
{
	struct transaction *transaction = dialogue->transaction;
	g_autoptr(Reply) reply = dialogue_reply(dialogue, STAGE_DATA);

	if (reply == NULL)
		return FALSE;
	if (outcome_is_success(STAGE_DATA, reply)) {
		if (!transaction_is_settled(transaction))
			return TRUE;
		/*
		 * It waits for the content of nobody.  A dot would make a
		 * message, of whomever it has in mind; the end makes none.
		 */
		dialogue->over = TRUE;
	} else if (reply->code < 400) {
		/* Then the ones before it may have been others', too. */
		transaction_reopen(transaction);
		dialogue_fail(dialogue, STAGE_DATA, "replies out of step");
	} else {
		dialogue_settle(dialogue, STAGE_DATA, reply);
	}
	return FALSE;
}

/* Sends @count commands from @begin on, and DATA behind the last one. */
static gboolean
send_some(struct dialogue *dialogue, const GPtrArray *commands, guint begin,
    guint count)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = begin; i < begin + count; i++)
		g_string_append(text, g_ptr_array_index(commands, i));
	if (begin + count == commands->len)
		g_string_append(text, "DATA\r\n");
	return dialogue_send(dialogue, STAGE_MAIL, text->str);
}

gboolean
volley_send(struct dialogue *dialogue, const GPtrArray *commands,
    gboolean *ret_accepted)
{
	guint count;

	*ret_accepted = FALSE;
	if (dialogue_out_of_turn(dialogue, STAGE_MAIL))
		return FALSE;
	for (guint sent = 0; sent < commands->len; sent += count) {
		count = MIN(AHEAD_MAX, commands->len - sent);
		if (!send_some(dialogue, commands, sent, count))
			return FALSE;
		for (guint i = sent; i < sent + count && !dialogue->over; i++)
			take_reply(dialogue, i, ret_accepted);
		/* MAIL was refused, and DATA not sent. */
		if (dialogue->over ||
		    (!*ret_accepted && sent + count < commands->len))
			return FALSE;
	}
	return take_data_reply(dialogue);
}
