/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "smtp/content.h"
#include "smtp/dialogue.h"
#include "smtp/login.h"
#include "smtp/opening.h"
#include "smtp/session.h"
#include "smtp/volley.h"
#include "smtp/wire.h"
#include "util/autofd.h"
#include "util/deadline.h"
#include "util/secret.h"

struct wire {
	int host;
	const struct wire_job *job; /* the message under way */
	struct dialogue dialogue;
	struct session *session;
	struct opening opening;
	struct login login;
	struct transcript transcript;
	guint rcpt_sent;
	guint rcpt_answered;
	GPtrArray *held; /* commands of the envelope, to go out as one */
	guint sent;      /* messages */
	gboolean idle;   /* the host may have another one */
};

/* Lets libESMTP go on. */
static void
tell_code(struct wire *wire, int code)
{
	if (!session_tell_code(wire->session, code))
		wire->dialogue.over = TRUE;
}

/* The reply to a command that concerns all recipients. */
static void
pass_reply(struct wire *wire, enum stage stage, const struct reply *reply)
{
	if (!outcome_is_success(stage, reply))
		dialogue_settle(&wire->dialogue, stage, reply);
	else if (stage == STAGE_MAIL)
		wire->job->events->accepted(wire->job->data);
	if (!wire->dialogue.over)
		tell_code(wire, reply->code);
}

static void
carry_command(struct wire *wire, enum stage stage, const char *command)
{
	g_autoptr(Reply) reply = NULL;

	reply = dialogue_ask(&wire->dialogue, stage, command);
	if (reply != NULL)
		pass_reply(wire, stage, reply);
}

static void
note_secured(const struct wire *wire)
{
	const struct tls *tls = peer_tls(wire->dialogue.peer);

	if (tls != NULL)
		wire->job->events->secured(tls_description(tls),
		    wire->job->data);
}

static void
carry_greeting(struct wire *wire)
{
	struct opening *opening = &wire->opening;
	const struct wire_job *job = wire->job;
	g_autoptr(Reply) reply = NULL;
	gboolean going = TRUE;

	if (!opening_wrap(opening, &wire->dialogue, job->tls))
		return;
	reply = opening_greeting(opening, &wire->dialogue, job->tls);
	if (job->tls->level == TLS_WRAPPER && !opening->rejected)
		note_secured(wire);
	if (reply == NULL)
		return;
	if (outcome_is_success(STAGE_GREETING, reply)) {
		job->events->greeted(job->data);
		going = opening_starttls(opening, &wire->dialogue, job->tls,
		    job->helo_name);
	}
	if (job->tls->level != TLS_WRAPPER && !opening->rejected)
		note_secured(wire);
	if (!going)
		return;
	if (opening->refusal != NULL)
		job->events->unsecured(opening->refusal, job->data);
	pass_reply(wire, STAGE_GREETING, reply);
}

static gboolean
wants_8bitmime(const struct wire *wire)
{
	return wire->opening.offer.eightbitmime &&
	    message_is_8bit(wire->job->message);
}

/* Tells libESMTP what the host offers. */
static void
pass_offer(struct wire *wire)
{
	const struct offer *offer = &wire->opening.offer;
	gboolean secured = peer_tls(wire->dialogue.peer) != NULL;
	g_autofree char *text = NULL;
	guint mechanisms;

	if (!login_prepare(&wire->login, &wire->dialogue, offer, &mechanisms))
		return;
	if (wants_8bitmime(wire))
		session_use_8bitmime(wire->session);
	text = offer_format(offer, mechanisms, secured);
	if (!session_tell(wire->session, text))
		wire->dialogue.over = TRUE;
}

static void
carry_ehlo(struct wire *wire, const char *command)
{
	struct opening *opening = &wire->opening;
	g_autoptr(Reply) reply = NULL;

	if (opening->ehlo == NULL &&
	    !opening_ehlo(opening, &wire->dialogue, command))
		return;
	reply = g_steal_pointer(&opening->ehlo);
	if (outcome_is_success(STAGE_EHLO, reply))
		pass_offer(wire);
	else if (outcome_asks_for_helo(reply))
		tell_code(wire, reply->code);
	else
		pass_reply(wire, STAGE_EHLO, reply);
}

/* HELO offers nothing, and AUTH neither. */
static void
carry_helo(struct wire *wire, const char *command)
{
	const struct offer none = {0};
	guint mechanisms;

	if (login_prepare(&wire->login, &wire->dialogue, &none, &mechanisms))
		carry_command(wire, STAGE_HELO, command);
}

static void
carry_auth(struct wire *wire, const char *command)
{
	int code =
	    login_carry(&wire->login, &wire->dialogue, wire->session, command);

	if (!wire->dialogue.over)
		tell_code(wire, code);
}

/* RFC 1870 section 6.1: a client need not send what is sure to be refused. */
static void
refuse_size(struct wire *wire)
{
	struct outcome outcome = {0};
	g_autofree char *what = NULL;

	what = g_strdup_printf("message size %" G_GUINT64_FORMAT
			       " exceeds the host's limit of %" G_GUINT64_FORMAT
			       " (SIZE)",
	    message_size(wire->job->message), wire->opening.offer.size_limit);
	outcome_set(&outcome, OUTCOME_BOUNCE, TROUBLE_MESSAGE, STAGE_MAIL,
	    "5.3.4", what);
	transaction_settle(wire->dialogue.transaction, &outcome);
	tell_code(wire, 552);
}

/* Whatever has led to MAIL: not in clear text where TLS is required. */
static gboolean
is_secured(struct wire *wire)
{
	if (peer_tls(wire->dialogue.peer) != NULL ||
	    !tls_policy_is_required(wire->job->tls))
		return TRUE;
	dialogue_quit(&wire->dialogue);
	dialogue_fail_as(&wire->dialogue, TROUBLE_HOST, STAGE_STARTTLS, "4.7.4",
	    "STARTTLS: not begun, but required");
	return FALSE;
}

/*
 * DATA with it: only where some of the recipients may have the content without
 * the others.
 */
static gboolean
goes_as_one(const struct wire *wire)
{
	return wire->job->partial && wire->opening.offer.pipelining;
}

/* libESMTP has the answer now, and the host the command with the others. */
static void
hold(struct wire *wire, const char *command)
{
	g_ptr_array_add(wire->held, g_strdup(command));
	tell_code(wire, 250);
}

static void
carry_mail(struct wire *wire, const char *command)
{
	if (!is_secured(wire) || !login_is_done(&wire->login, &wire->dialogue))
		return;
	if (wire->opening.offer.size_limit > 0 &&
	    message_size(wire->job->message) > wire->opening.offer.size_limit)
		refuse_size(wire);
	else if (goes_as_one(wire))
		hold(wire, command);
	else
		carry_command(wire, STAGE_MAIL, command);
}

/* The reply to the first RCPT that has none yet. */
static void
collect_rcpt_reply(struct wire *wire)
{
	g_autoptr(Reply) reply = dialogue_reply(&wire->dialogue, STAGE_RCPT);
	guint i = wire->rcpt_answered;

	if (reply == NULL)
		return;
	wire->rcpt_answered++;
	if (outcome_is_success(STAGE_RCPT, reply)) {
		tell_code(wire, reply->code);
	} else if (reply->code == 421 || reply->code < 400) {
		dialogue_settle(&wire->dialogue, STAGE_RCPT, reply);
	} else {
		transaction_refuse(wire->dialogue.transaction, i, reply);
		tell_code(wire, reply->code);
	}
}

static void
collect_rcpt_replies(struct wire *wire)
{
	while (wire->rcpt_answered < wire->rcpt_sent && !wire->dialogue.over)
		collect_rcpt_reply(wire);
}

static void
carry_rcpt(struct wire *wire, const char *command)
{
	if (wire->rcpt_sent == wire->dialogue.transaction->count) {
		dialogue_fail_here(&wire->dialogue, STAGE_RCPT,
		    "libESMTP: extra RCPT");
		return;
	}
	if (goes_as_one(wire)) {
		wire->rcpt_sent++;
		hold(wire, command);
		return;
	}
	/* With RCPT commands under way replies are expected. */
	if (wire->rcpt_sent == wire->rcpt_answered &&
	    dialogue_out_of_turn(&wire->dialogue, STAGE_RCPT))
		return;
	if (!dialogue_send(&wire->dialogue, STAGE_RCPT, command))
		return;
	wire->rcpt_sent++;
	/*
	 * Under PIPELINING libESMTP has written the next command already.  What
	 * one read of that has (session.c) goes ahead of the replies: less than
	 * any socket's buffer holds, so that neither side waits for the other
	 * (RFC 2920 section 3.1).
	 */
	if (!session_has_command(wire->session))
		collect_rcpt_replies(wire);
}

/* Is there anybody who may have the content? */
static gboolean
may_go_on(const struct wire *wire)
{
	const struct transaction *transaction = wire->dialogue.transaction;

	return wire->job->partial ? !transaction_is_settled(transaction)
				  : transaction_is_open(transaction);
}

/* Some recipients were refused: the others do not get the content either. */
static void
hold_back(struct wire *wire)
{
	struct outcome outcome = {0};

	outcome_set(&outcome, OUTCOME_HELD, TROUBLE_NONE, STAGE_RCPT, "4.3.0",
	    "not sent, since another recipient was refused");
	transaction_settle(wire->dialogue.transaction, &outcome);
	tell_code(wire, 554);
}

/*
 * Only after a success with nothing behind it: 354 has shown that all was in
 * step, and the host has said that it is done.
 */
static gboolean
may_be_kept(const struct wire *wire, int code)
{
	return wire->job->keep && code / 100 == 2 &&
	    !peer_has_spoken(wire->dialogue.peer);
}

static void
carry_content(struct wire *wire)
{
	int code = content_carry(&wire->dialogue, wire->job->message);

	wire->idle = may_be_kept(wire, code);
	if (wire->dialogue.over ||
	    !session_swallow_content(wire->session, wire->job->deadline)) {
		wire->idle = FALSE;
		return;
	}
	session_keep(wire->session, wire->idle);
	tell_code(wire, code);
}

static void
carry_volley(struct wire *wire)
{
	gboolean accepted;
	gboolean wanted = volley_send(&wire->dialogue, wire->held, &accepted);

	if (accepted)
		wire->job->events->accepted(wire->job->data);
	if (!wire->dialogue.over)
		tell_code(wire, wanted ? 354 : 554);
	if (!wire->dialogue.over && wanted)
		carry_content(wire);
}

static void
carry_data(struct wire *wire, const char *command)
{
	if (goes_as_one(wire)) {
		carry_volley(wire);
		return;
	}
	collect_rcpt_replies(wire);
	if (wire->dialogue.over)
		return;
	if (!may_go_on(wire)) {
		hold_back(wire);
		return;
	}
	carry_command(wire, STAGE_DATA, command);
	if (!wire->dialogue.over && may_go_on(wire))
		carry_content(wire);
}

/*
 * May the refusal for good be an echo?  A host that answers a command twice
 * would have the second reply taken for that to the next one.  It takes an
 * earlier refusal to have a false one that way; and 354 goes to DATA alone, so
 * that from there on all is in step.
 */
static gboolean
is_doubtful(struct wire *wire)
{
	const struct outcome *bounce =
	    transaction_bounce(wire->dialogue.transaction);

	return bounce != NULL && bounce->stage <= STAGE_DATA &&
	    wire->dialogue.refusals > 1;
}

/*
 * Only if QUIT's reply comes next was the dialogue in step.  A host that says
 * nothing more has the benefit of the doubt.
 */
static void
confirm_bounce(struct wire *wire)
{
	struct transaction *transaction = wire->dialogue.transaction;
	enum stage stage = transaction_bounce(transaction)->stage;
	g_autoptr(GError) error = NULL;
	g_autoptr(Reply) reply = NULL;

	reply = peer_reply(wire->dialogue.peer,
	    MIN(deadline_in(DIALOGUE_OUT_OF_TURN_SPAN), wire->job->deadline),
	    &error);
	if (reply == NULL) {
		if (!g_error_matches(error, PEER_ERROR, PEER_ERROR_NONSENSE))
			return;
	} else if (reply->code == 221 || reply->code == 421) {
		return;
	}
	transaction_reopen(transaction);
	dialogue_fail(&wire->dialogue, stage, "replies out of step");
}

/*
 * Nobody waits for what a host says to QUIT, as in Postfix's smtp(8), unless
 * a bounce depends on it.
 */
static void
carry_quit(struct wire *wire, const char *command)
{
	g_autoptr(GError) error = NULL;

	if (peer_send(wire->dialogue.peer, command, strlen(command),
		deadline_in(0), &error) &&
	    is_doubtful(wire))
		confirm_bounce(wire);
	tell_code(wire, 221);
	wire->dialogue.over = TRUE;
}

static void
carry(struct wire *wire, const char *command)
{
	if (g_str_has_prefix(command, "EHLO "))
		carry_ehlo(wire, command);
	else if (g_str_has_prefix(command, "HELO "))
		carry_helo(wire, command);
	else if (g_str_has_prefix(command, "AUTH "))
		carry_auth(wire, command);
	else if (g_str_has_prefix(command, "MAIL "))
		carry_mail(wire, command);
	else if (g_str_has_prefix(command, "RCPT "))
		carry_rcpt(wire, command);
	else if (g_str_equal(command, "DATA\r\n"))
		carry_data(wire, command);
	else if (g_str_equal(command, "QUIT\r\n"))
		carry_quit(wire, command);
	else
		dialogue_fail_here(&wire->dialogue, STAGE_EHLO,
		    "libESMTP: unknown command");
}

/*
 * libESMTP and the host take turns until one of them is done, or both may go
 * on with another message.
 */
static void
carry_all(struct wire *wire)
{
	while (!wire->dialogue.over && !wire->idle) {
		g_autoptr(Secret) command = NULL;

		command = session_command(wire->session, wire->job->deadline);
		if (command == NULL)
			break;
		carry(wire, command);
	}
	/* If that was too early. */
	if (!wire->idle && wire->opening.tls_failure == NULL &&
	    wire->login.failure == NULL)
		dialogue_fail_here(&wire->dialogue, STAGE_EHLO,
		    "libESMTP ended the session");
}

static void
begin_session(struct wire *wire)
{
	const struct wire_job *job = wire->job;
	g_autoptr(GError) error = NULL;

	wire->session =
	    session_start(job->helo_name, job->sender, job->recipients,
		message_size(job->message), job->credentials, &error);
	if (wire->session == NULL) {
		dialogue_fail_here(&wire->dialogue, STAGE_CONNECT,
		    error->message);
		return;
	}
	carry_greeting(wire);
	carry_all(wire);
}

static void
continue_session(struct wire *wire)
{
	const struct wire_job *job = wire->job;

	if (!session_next(wire->session, job->sender, job->recipients,
		message_size(job->message), wants_8bitmime(wire))) {
		dialogue_fail_here(&wire->dialogue, STAGE_MAIL,
		    "libESMTP takes no other message");
		return;
	}
	carry_all(wire);
}

/* What a host has heard it may say again. */
static void
hide_secrets(const struct wire_job *job, struct outcome *outcomes)
{
	for (guint i = 0; i < job->recipients->len; i++) {
		credentials_mask(job->credentials, outcomes[i].reply);
		credentials_mask(job->credentials, outcomes[i].text);
	}
	secret_sweep();
}

/* The session has come to nothing, but another one may not. */
static void
give_again(struct wire *wire, struct wire_again *again)
{
	struct opening *opening = &wire->opening;

	*again = (struct wire_again){0};
	if (opening->tls_failure != NULL) {
		again->why = g_steal_pointer(&opening->tls_failure);
		again->stage = STAGE_TLS;
		again->late = opening->late;
	} else if (wire->login.failure != NULL) {
		again->why = g_steal_pointer(&wire->login.failure);
		again->stage = STAGE_AUTH;
	}
}

struct wire *
wire_new(int host)
{
	struct wire *wire = g_new0(struct wire, 1);

	wire->host = host;
	wire->dialogue.peer = peer_new(host);
	wire->held = g_ptr_array_new_with_free_func(g_free);
	return wire;
}

/* The message, and nothing of the one before. */
static void
take_job(struct wire *wire, const struct wire_job *job,
    struct transaction *transaction)
{
	wire->job = job;
	wire->dialogue.transaction = transaction;
	wire->dialogue.timeouts = job->timeouts;
	wire->dialogue.deadline = job->deadline;
	wire->dialogue.content_by = job->content_by;
	wire->dialogue.over = FALSE;
	wire->dialogue.refusals = 0;
	wire->login.credentials = job->credentials;
	wire->login.in_clear = job->auth_in_clear;
	wire->login.authenticated = job->events->authenticated;
	wire->login.data = job->data;
	wire->login.without = job->auth_without;
	wire->opening.ehlo_ignore = job->ehlo_ignore;
	wire->transcript.said = job->transcript ? job->events->said : NULL;
	wire->transcript.data = job->data;
	peer_transcribe(wire->dialogue.peer, &wire->transcript);
	wire->rcpt_sent = 0;
	wire->rcpt_answered = 0;
	g_ptr_array_set_size(wire->held, 0);
	wire->idle = FALSE;
}

void
wire_send(struct wire *wire, const struct wire_job *job,
    struct outcome *outcomes, struct wire_again *ret_again)
{
	g_autoptr(Transaction) transaction =
	    transaction_new(outcomes, job->recipients->len);

	transaction->next_host_on = job->next_host_on;
	take_job(wire, job, transaction);
	if (wire->sent++ == 0)
		begin_session(wire);
	else
		continue_session(wire);
	if (!wire->idle && wire->session != NULL)
		g_clear_pointer(&wire->session, session_free);
	wire->dialogue.transaction = NULL;
	wire->transcript.said = NULL;
	wire->job = NULL;
	/* What it has heard that a host says again is gone first. */
	if (!wire->idle)
		g_clear_pointer(&wire->dialogue.peer, peer_free);
	if (job->credentials != NULL)
		hide_secrets(job, outcomes);
	give_again(wire, ret_again);
}

guint
wire_sent(const struct wire *wire)
{
	return wire->sent;
}

gboolean
wire_is_idle(const struct wire *wire)
{
	return wire->idle && !peer_has_spoken(wire->dialogue.peer);
}

void
wire_free(struct wire *wire)
{
	static const char quit[] = "QUIT\r\n";

	if (wire->idle)
		peer_send(wire->dialogue.peer, quit, strlen(quit),
		    deadline_in(0), NULL);
	g_clear_pointer(&wire->session, session_free);
	g_clear_pointer(&wire->dialogue.peer, peer_free);
	opening_clear(&wire->opening);
	g_ptr_array_unref(wire->held);
	autofd_clear(&wire->host);
	g_free(wire);
}
