/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "smtp/dialogue.h"
#include "util/deadline.h"

gint64
dialogue_span(const struct dialogue *dialogue, enum stage stage)
{
	const struct timeouts *timeouts = dialogue->timeouts;

	switch (stage) {
	case STAGE_GREETING:
		return timeouts->greeting;
	case STAGE_DATA:
	case STAGE_CONTENT:
		return timeouts->data;
	case STAGE_FINAL:
		return timeouts->final;
	default:
		return timeouts->command;
	}
}

/* When all must have come as far as that. */
static gint64
total(const struct dialogue *dialogue, enum stage stage)
{
	if (stage == STAGE_CONTENT || stage == STAGE_FINAL ||
	    dialogue->content_by == 0)
		return dialogue->deadline;
	return MIN(dialogue->deadline, dialogue->content_by);
}

gint64
dialogue_deadline(const struct dialogue *dialogue, enum stage stage)
{
	return MIN(deadline_in(dialogue_span(dialogue, stage)),
	    total(dialogue, stage));
}

void
dialogue_settle(struct dialogue *dialogue, enum stage stage,
    const struct reply *reply)
{
	transaction_settle_reply(dialogue->transaction, stage, reply);
	/* 421: the host closes (RFC 5321 section 3.8). */
	if (reply->code == 421 ||
	    (reply->code < 400 && !outcome_is_success(stage, reply)))
		dialogue->over = TRUE;
}

void
dialogue_fail(struct dialogue *dialogue, enum stage stage, const char *what)
{
	transaction_settle_failure(dialogue->transaction, stage, what);
	dialogue->over = TRUE;
}

char *
dialogue_what(const struct dialogue *dialogue, enum stage stage,
    const GError *error)
{
	if (g_error_matches(error, PEER_ERROR, PEER_ERROR_TIMEOUT))
		return deadline_passed(dialogue_span(dialogue, stage),
		    total(dialogue, stage));
	return g_strdup(error->message);
}

void
dialogue_fail_error(struct dialogue *dialogue, enum stage stage,
    const GError *error)
{
	g_autofree char *what = dialogue_what(dialogue, stage, error);

	dialogue_fail(dialogue, stage, what);
}

void
dialogue_fail_here(struct dialogue *dialogue, enum stage stage,
    const char *what)
{
	transaction_settle_here(dialogue->transaction, stage, what);
	dialogue->over = TRUE;
}

void
dialogue_fail_as(struct dialogue *dialogue, enum trouble trouble,
    enum stage stage, const char *dsn, const char *what)
{
	struct outcome outcome = {0};

	outcome_set(&outcome, OUTCOME_NEXT, trouble, stage, dsn, what);
	transaction_settle(dialogue->transaction, &outcome);
	dialogue->over = TRUE;
}

gboolean
dialogue_out_of_turn(struct dialogue *dialogue, enum stage stage)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Reply) reply = NULL;
	g_autofree char *text = NULL;
	g_autofree char *what = NULL;

	if (!peer_has_spoken(dialogue->peer))
		return FALSE;
	reply = peer_reply(dialogue->peer,
	    MIN(deadline_in(DIALOGUE_OUT_OF_TURN_SPAN), dialogue->deadline),
	    &error);
	if (reply != NULL && reply->code == 421) {
		dialogue_settle(dialogue, stage, reply);
		return TRUE;
	}
	if (reply != NULL) {
		text = reply_text(reply);
		what = g_strdup_printf("reply out of turn: %d %s", reply->code,
		    text);
	} else if (g_error_matches(error, PEER_ERROR, PEER_ERROR_TIMEOUT)) {
		what = g_strdup("reply out of turn");
	} else {
		what = g_strdup(error->message);
	}
	dialogue_fail(dialogue, stage, what);
	return TRUE;
}

gboolean
dialogue_send(struct dialogue *dialogue, enum stage stage, const char *command)
{
	g_autoptr(GError) error = NULL;

	if (peer_send(dialogue->peer, command, strlen(command),
		dialogue_deadline(dialogue, stage), &error))
		return TRUE;
	dialogue_fail_error(dialogue, stage, error);
	return FALSE;
}

struct reply *
dialogue_reply(struct dialogue *dialogue, enum stage stage)
{
	g_autoptr(GError) error = NULL;
	struct reply *reply;

	reply = peer_reply(dialogue->peer, dialogue_deadline(dialogue, stage),
	    &error);
	if (reply == NULL)
		dialogue_fail_error(dialogue, stage, error);
	else if (reply->code / 100 == 5)
		dialogue->refusals++;
	return reply;
}

struct reply *
dialogue_ask(struct dialogue *dialogue, enum stage stage, const char *command)
{
	if (dialogue_out_of_turn(dialogue, stage) ||
	    !dialogue_send(dialogue, stage, command))
		return NULL;
	return dialogue_reply(dialogue, stage);
}

void
dialogue_quit(struct dialogue *dialogue)
{
	static const char quit[] = "QUIT\r\n";

	if (!dialogue->over)
		peer_send(dialogue->peer, quit, strlen(quit), deadline_in(0),
		    NULL);
	dialogue->over = TRUE;
}
