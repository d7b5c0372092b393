/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "smtp/carrier.h"
#include "smtp/content.h"
#include "smtp/farewell.h"
#include "smtp/terms.h"
#include "smtp/volley.h"

/* Lets libESMTP go on. */
static void
tell_code(struct carrier *carrier, int code)
{
	if (!carrier->answered)
		session_tell_code(carrier->session, code);
}

/*
 * The reply to a command that concerns all recipients.  DATA is refused to
 * libESMTP in any case: it has no content, and would make a header of its own
 * for nobody to read.
 */
static void
pass_reply(struct carrier *carrier, enum stage stage, const struct reply *reply)
{
	if (!outcome_is_success(stage, reply))
		dialogue_settle(&carrier->dialogue, stage, reply);
	else if (stage == STAGE_MAIL)
		carrier->job->events->accepted(carrier->job->data);
	if (!carrier->dialogue.over)
		tell_code(carrier, stage == STAGE_DATA ? 554 : reply->code);
}

static void
carry_command(struct carrier *carrier, enum stage stage, const char *command)
{
	g_autoptr(Reply) reply = NULL;

	reply = dialogue_ask(&carrier->dialogue, stage, command);
	if (reply != NULL)
		pass_reply(carrier, stage, reply);
}

static void
note_secured(const struct carrier *carrier)
{
	const struct tls *tls = peer_tls(carrier->dialogue.peer);

	if (tls != NULL)
		carrier->job->events->secured(tls_description(tls),
		    carrier->job->data);
}

/* As libESMTP would if it were told to go on. */
static void
quit(struct carrier *carrier)
{
	if (!carrier->dialogue.over)
		farewell_say(&carrier->dialogue, "QUIT\r\n");
	carrier->dialogue.over = TRUE;
}

/* libESMTP does not know of it. */
static void
refuse_session(struct carrier *carrier, const struct reply *reply)
{
	dialogue_settle(&carrier->dialogue, STAGE_GREETING, reply);
	quit(carrier);
}

static void
carry_greeting(struct carrier *carrier)
{
	struct opening *opening = &carrier->opening;
	const struct wire_job *job = carrier->job;
	g_autoptr(Reply) reply = NULL;
	gboolean going = TRUE;

	if (!opening_wrap(opening, &carrier->dialogue, job->tls))
		return;
	reply = opening_greeting(opening, &carrier->dialogue, job->tls);
	if (job->tls->level == TLS_WRAPPER && !opening->rejected)
		note_secured(carrier);
	if (reply == NULL)
		return;
	if (outcome_is_success(STAGE_GREETING, reply)) {
		job->events->greeted(job->data);
		going = opening_starttls(opening, &carrier->dialogue, job->tls,
		    job->helo_name);
	}
	if (job->tls->level != TLS_WRAPPER && !opening->rejected)
		note_secured(carrier);
	if (!going)
		return;
	if (opening->refusal != NULL)
		job->events->unsecured(opening->refusal, job->data);
	if (!outcome_is_success(STAGE_GREETING, reply))
		refuse_session(carrier, reply);
}

/* Tells libESMTP what the host offers. */
static void
tell_offer(struct carrier *carrier, guint mechanisms)
{
	g_autofree char *text = offer_format(&carrier->opening.offer,
	    mechanisms, peer_tls(carrier->dialogue.peer) != NULL);

	session_tell(carrier->session, text);
}

static void
pass_offer(struct carrier *carrier)
{
	guint mechanisms;

	if (login_prepare(&carrier->login, &carrier->dialogue,
		&carrier->opening.offer, &mechanisms))
		tell_offer(carrier, mechanisms);
}

/* LMTP has no HELO, which libESMTP would say next if it knew the code. */
static void
refuse_lhlo(struct carrier *carrier, const struct reply *reply)
{
	dialogue_settle(&carrier->dialogue, STAGE_EHLO, reply);
	tell_code(carrier, 554);
}

static void
carry_ehlo(struct carrier *carrier, const char *command)
{
	struct opening *opening = &carrier->opening;
	g_autoptr(Reply) reply = NULL;

	/* It has its answer already. */
	if (carrier->known)
		return;
	if (opening->ehlo == NULL &&
	    !opening_ehlo(opening, &carrier->dialogue, command))
		return;
	reply = g_steal_pointer(&opening->ehlo);
	if (outcome_is_success(STAGE_EHLO, reply))
		pass_offer(carrier);
	else if (outcome_asks_for_helo(reply) && opening->lmtp)
		refuse_lhlo(carrier, reply);
	else if (outcome_asks_for_helo(reply))
		tell_code(carrier, reply->code);
	else
		pass_reply(carrier, STAGE_EHLO, reply);
}

/* HELO offers nothing, and AUTH neither. */
static void
carry_helo(struct carrier *carrier, const char *command)
{
	const struct offer none = {0};
	guint mechanisms;

	if (login_prepare(&carrier->login, &carrier->dialogue, &none,
		&mechanisms))
		carry_command(carrier, STAGE_HELO, command);
}

/* Whatever has led to MAIL: not in clear text where TLS is required. */
static gboolean
is_secured(struct carrier *carrier)
{
	if (peer_tls(carrier->dialogue.peer) != NULL ||
	    !tls_policy_is_required(carrier->job->tls))
		return TRUE;
	dialogue_quit(&carrier->dialogue);
	dialogue_fail_as(&carrier->dialogue, TROUBLE_HOST, STAGE_STARTTLS,
	    "4.7.4", "STARTTLS: not begun, but required");
	return FALSE;
}

/* Who has to wait for too long goes, which is nobody's fault. */
static gboolean
may_begin(struct carrier *carrier)
{
	if (carrier->job->events->begin(carrier->job->data))
		return TRUE;
	dialogue_quit(&carrier->dialogue);
	/* Mail system congestion (RFC 3463 section 3.5). */
	dialogue_fail_as(&carrier->dialogue, TROUBLE_MESSAGE, STAGE_MAIL,
	    "4.4.5", "at its rate");
	return FALSE;
}

/*
 * Only after a success with nothing behind it: 354 has shown that all was in
 * step, and the host has said that it is done.
 */
static gboolean
may_be_kept(const struct carrier *carrier, int code)
{
	return carrier->job->keep && code / 100 == 2 &&
	    !peer_has_spoken(carrier->dialogue.peer);
}

static void
carry_content(struct carrier *carrier)
{
	int code = content_carry(&carrier->dialogue, carrier->job->message);

	carrier->idle = !carrier->dialogue.over && may_be_kept(carrier, code);
}

/* The whole envelope. */
static GPtrArray *
envelope_commands(const struct carrier *carrier)
{
	const struct wire_job *job = carrier->job;
	const struct offer *offer = &carrier->opening.offer;
	GPtrArray *commands = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(commands, terms_mail(offer, job));
	for (guint i = 0; i < job->recipients->len; i++)
		g_ptr_array_add(commands, terms_rcpt(offer, job, i));
	return commands;
}

static void
carry_volley(struct carrier *carrier)
{
	g_autoptr(GPtrArray) commands = envelope_commands(carrier);
	gboolean accepted;
	gboolean wanted = volley_send(&carrier->dialogue, commands, &accepted);

	if (accepted)
		carrier->job->events->accepted(carrier->job->data);
	if (wanted)
		carry_content(carrier);
}

/* libESMTP goes on to QUIT, and nobody minds what it says. */
static void
dismiss(struct carrier *carrier)
{
	if (carrier->answered)
		return;
	session_refuse(carrier->session);
	carrier->answered = TRUE;
}

static void
carry_accepted_mail(struct carrier *carrier)
{
	const struct wire_job *job = carrier->job;
	const struct offer *offer = &carrier->opening.offer;
	g_autofree char *mail = NULL;

	if (!may_begin(carrier))
		return;
	if (terms_lack_notices(offer, job))
		job->events->unnoticed(job->data);
	if (terms_allow_volley(offer, job)) {
		carry_volley(carrier);
		dismiss(carrier);
		return;
	}
	mail = terms_mail(offer, job);
	carry_command(carrier, STAGE_MAIL, mail);
}

static void
carry_mail(struct carrier *carrier)
{
	int refusal;

	if (!is_secured(carrier) ||
	    !login_is_done(&carrier->login, &carrier->dialogue))
		return;
	refusal = terms_refuse(&carrier->opening.offer, carrier->job,
	    carrier->dialogue.transaction);
	if (refusal == 0)
		carry_accepted_mail(carrier);
	else
		tell_code(carrier, refusal);
}

/* The reply to the first RCPT that has none yet. */
static void
collect_rcpt_reply(struct carrier *carrier)
{
	g_autoptr(Reply) reply = dialogue_reply(&carrier->dialogue, STAGE_RCPT);
	guint i = carrier->rcpt_answered;

	if (reply == NULL)
		return;
	carrier->rcpt_answered++;
	if (outcome_is_success(STAGE_RCPT, reply)) {
		if (carrier->job->inquiry)
			transaction_welcome(carrier->dialogue.transaction, i,
			    reply);
		tell_code(carrier, reply->code);
	} else if (reply->code == 421 || reply->code < 400) {
		dialogue_settle(&carrier->dialogue, STAGE_RCPT, reply);
	} else {
		transaction_refuse(carrier->dialogue.transaction, i, reply);
		tell_code(carrier, reply->code);
	}
}

static void
collect_rcpt_replies(struct carrier *carrier)
{
	while (carrier->rcpt_answered < carrier->rcpt_sent &&
	    !carrier->dialogue.over)
		collect_rcpt_reply(carrier);
}

static void
carry_rcpt(struct carrier *carrier)
{
	g_autofree char *command = NULL;

	if (carrier->rcpt_sent == carrier->dialogue.transaction->count) {
		dialogue_fail_here(&carrier->dialogue, STAGE_RCPT,
		    "libESMTP: extra RCPT");
		return;
	}
	command = terms_rcpt(&carrier->opening.offer, carrier->job,
	    carrier->rcpt_sent);
	/* With RCPT commands under way replies are expected. */
	if (carrier->rcpt_sent == carrier->rcpt_answered &&
	    dialogue_out_of_turn(&carrier->dialogue, STAGE_RCPT))
		return;
	if (!dialogue_send(&carrier->dialogue, STAGE_RCPT, command))
		return;
	carrier->rcpt_sent++;
	/*
	 * Under PIPELINING libESMTP has written the next command already.  What
	 * it writes at once, 2,048 bytes, goes ahead of the replies: less than
	 * any socket's buffer holds, so that neither side waits for the other
	 * (RFC 2920 section 3.1).  Ours are as long: it is from pipe(8) that
	 * they come one by one, without parameters.
	 */
	if (!session_has_more(carrier->session))
		collect_rcpt_replies(carrier);
}

/* Is there anybody who may have the content?  After an inquiry nobody is. */
static gboolean
may_go_on(const struct carrier *carrier)
{
	const struct transaction *transaction = carrier->dialogue.transaction;

	return carrier->job->partial ? !transaction_is_settled(transaction)
				     : transaction_is_open(transaction);
}

/* Some recipients were refused: the others do not get the content either. */
static void
hold_back(struct carrier *carrier)
{
	struct outcome outcome = {0};

	outcome_set(&outcome, OUTCOME_HELD, TROUBLE_NONE, STAGE_RCPT, "4.3.0",
	    "not sent, since another recipient was refused");
	transaction_settle(carrier->dialogue.transaction, &outcome);
	tell_code(carrier, 554);
}

static void
carry_data(struct carrier *carrier, const char *command)
{
	/* Else who was left out would have the others' verdict. */
	if (carrier->rcpt_sent < carrier->dialogue.transaction->count) {
		dialogue_fail_here(&carrier->dialogue, STAGE_DATA,
		    "libESMTP: lost a command");
		return;
	}
	collect_rcpt_replies(carrier);
	if (carrier->dialogue.over)
		return;
	if (!may_go_on(carrier)) {
		hold_back(carrier);
		return;
	}
	carry_command(carrier, STAGE_DATA, command);
	if (!carrier->dialogue.over && may_go_on(carrier))
		carry_content(carrier);
}

/* It is the host's, too, unless that may have another message. */
static void
carry_quit(struct carrier *carrier, const char *command)
{
	if (carrier->idle) {
		tell_code(carrier, 221);
		return;
	}
	farewell_say(&carrier->dialogue, command);
	carrier->dialogue.over = TRUE;
}

static void
carry(struct carrier *carrier, const char *line)
{
	if (carrier->login.auth.under_way || g_str_has_prefix(line, "AUTH "))
		login_carry(&carrier->login, &carrier->dialogue,
		    carrier->session, line);
	else if (g_str_has_prefix(line, "EHLO "))
		carry_ehlo(carrier, line);
	else if (g_str_has_prefix(line, "HELO "))
		carry_helo(carrier, line);
	else if (g_str_has_prefix(line, "MAIL "))
		carry_mail(carrier);
	else if (g_str_has_prefix(line, "RCPT "))
		carry_rcpt(carrier);
	else if (g_str_equal(line, "DATA\r\n"))
		carry_data(carrier, line);
	else if (g_str_equal(line, "QUIT\r\n"))
		carry_quit(carrier, line);
	else
		dialogue_fail_here(&carrier->dialogue, STAGE_EHLO,
		    "libESMTP: unknown command");
}

/* What libESMTP says. */
static void
hear(const char *line, void *data)
{
	struct carrier *carrier = data;

	if (!carrier->dialogue.over)
		carry(carrier, line);
	if (carrier->dialogue.over)
		dismiss(carrier);
}

/* FALSE: the session is over. */
static gboolean
prepare(struct carrier *carrier, enum stage stage)
{
	const struct wire_job *job = carrier->job;
	g_autoptr(GError) error = NULL;

	carrier->answered = FALSE;
	if (carrier->session == NULL)
		carrier->session = session_new();
	if (!session_begin(carrier->session, job->helo_name, job->recipients,
		job->credentials, &error)) {
		dialogue_fail_here(&carrier->dialogue, stage, error->message);
		return FALSE;
	}
	tell_code(carrier, 220);
	return TRUE;
}

/* libESMTP says what there is to say, and each command goes its way. */
static void
carry_all(struct carrier *carrier)
{
	if (!carrier->dialogue.over)
		session_run(carrier->session, hear, carrier);
	/* If that was too early. */
	if (!carrier->idle && carrier->opening.tls_failure == NULL &&
	    carrier->login.failure == NULL)
		dialogue_fail_here(&carrier->dialogue, STAGE_EHLO,
		    "libESMTP ended the session");
}

void
carrier_begin(struct carrier *carrier)
{
	if (!prepare(carrier, STAGE_CONNECT))
		return;
	carry_greeting(carrier);
	carry_all(carrier);
}

/* libESMTP has led here with the first message, and is not asked again. */
static void
carry_next(struct carrier *carrier)
{
	carrier->answered = TRUE;
	carry_mail(carrier);
	if (!carrier->idle)
		quit(carrier);
	g_assert(transaction_is_settled(carrier->dialogue.transaction));
}

void
carrier_go_on(struct carrier *carrier)
{
	carrier->known = TRUE;
	if (terms_allow_volley(&carrier->opening.offer, carrier->job)) {
		carry_next(carrier);
	} else if (prepare(carrier, STAGE_MAIL)) {
		tell_offer(carrier, 0);
		carry_all(carrier);
	}
}
