/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/probe/interview-tls.h"
#include "smtp/auth.h"
#include "smtp/opening.h"
#include "tls/certificate.h"
#include "util/printable.h"
#include "util/secret.h"

static void
say_expiry(const struct interview *interview, int days)
{
	guint count = (guint)ABS(days);
	g_autofree char *text = NULL;

	text = days == 0
	    ? g_strdup("within a day")
	    : g_strdup_printf("%s%u day%s%s", days > 0 ? "in " : "", count,
		  count == 1 ? "" : "s", days > 0 ? "" : " ago");
	stage_below(interview, days < 0 ? "expired" : "expires", text);
}

static void
say_certificate(const struct interview *interview, const struct tls *tls)
{
	struct certificate certificate;

	if (!certificate_read(&certificate, tls_certificate(tls))) {
		stage_below(interview, NULL, "no certificate");
		return;
	}
	stage_below(interview, "subject", certificate.subject);
	stage_below(interview, "names", certificate.names);
	stage_below(interview, "issuer", certificate.issuer);
	say_expiry(interview, certificate.days);
	certificate_clear(&certificate);
}

/* @text: as the log has it; here it also says what that comes to. */
static void
say_verification(const struct interview *interview, const struct tls *tls,
    const char *text)
{
	const struct tls_policy *policy = &interview->security.tls;
	enum tls_level level = policy->for_auth ? TLS_MAY : policy->level;
	g_autofree char *whole = NULL;

	if (tls_is_enforced(tls))
		whole = g_strdup(text);
	else if (level == TLS_DANE && interview->trouble != NULL)
		/* Whether there are TLSA records, nobody may know. */
		whole = g_strdup("not verified");
	else if (level == TLS_DANE)
		whole = g_strdup_printf("%s; as tls=encrypt", text);
	else if (tls_verify_failure(tls) != NULL)
		whole = g_strdup_printf("%s; no matter with tls=%s", text,
		    tls_level_name(level));
	else
		whole = g_strdup(text);
	stage_below(interview, NULL, whole);
}

static void
say_tls(const struct interview *interview, const struct tls *tls)
{
	/* "protocol", its name, "cipher", its name, what became of it. */
	g_auto(GStrv) words = g_strsplit(tls_description(tls), " ", 5);
	g_autofree char *line = g_strdup_printf("%s %s", words[1], words[3]);

	stage_say(interview, line);
	say_verification(interview, tls, words[4]);
	say_certificate(interview, tls);
}

/* A delivery goes on in clear text if TLS fails that need not be. */
static void
fail_handshake(struct interview *interview, const struct opening *opening)
{
	if (opening->tls_failure == NULL) {
		interview->stage = stage_name(interview->outcome.stage);
		stage_fail_outcome(interview);
		return;
	}
	interview->stage = stage_name(STAGE_TLS);
	stage_say(interview, opening->tls_failure);
	stage_below(interview, NULL, "going on in clear text");
	interview->again = TRUE;
}

static void
say_handshake(struct interview *interview)
{
	const struct tls *tls = peer_tls(interview->dialogue.peer);
	g_autofree char *what = NULL;

	say_tls(interview, tls);
	if (!tls_is_enforced(tls) || tls_verify_failure(tls) == NULL)
		return;
	what = g_strdup_printf("certificate verification failed: %s",
	    tls_verify_failure(tls));
	stage_trouble(interview, what);
}

static gboolean
shake_hands(struct interview *interview)
{
	struct opening opening = {0};
	gboolean begun;

	stage_begin(interview, "TLS");
	begun = opening_shake_hands(&opening, &interview->dialogue,
	    &interview->security.tls);
	if (begun)
		say_handshake(interview);
	else
		fail_handshake(interview, &opening);
	opening_clear(&opening);
	return begun;
}

gboolean
interview_wrap(struct interview *interview)
{
	return interview->security.tls.level != TLS_WRAPPER ||
	    shake_hands(interview);
}

struct reply *
interview_greeting(struct interview *interview)
{
	struct opening opening = {0};
	struct reply *reply;

	stage_begin(interview, "greeting");
	reply = opening_greeting(&opening, &interview->dialogue,
	    &interview->security.tls);
	if (opening.rejected)
		fail_handshake(interview, &opening);
	else
		stage_take(interview, reply);
	opening_clear(&opening);
	return reply;
}

gboolean
interview_is_rejected(struct interview *interview)
{
	struct opening opening = {0};
	gboolean rejected;

	opening_judge_loss(&opening, &interview->dialogue,
	    &interview->security.tls);
	rejected = opening.rejected;
	if (rejected)
		fail_handshake(interview, &opening);
	opening_clear(&opening);
	return rejected;
}

static void
note_not_offered(struct interview *interview)
{
	const struct tls_policy *policy = &interview->security.tls;
	g_autofree char *what = NULL;

	stage_skip(interview, "STARTTLS", "not offered");
	if (!tls_policy_is_required(policy))
		return;
	what = tls_policy_not_offered(policy);
	stage_trouble(interview, what);
}

gboolean
interview_starttls(struct interview *interview, gboolean *ret_secured)
{
	const struct tls_policy *policy = &interview->security.tls;
	g_autoptr(Reply) reply = NULL;

	*ret_secured = FALSE;
	if (policy->level == TLS_NONE || policy->level == TLS_WRAPPER)
		return TRUE;
	if (!interview->offer.starttls) {
		note_not_offered(interview);
		return TRUE;
	}
	reply =
	    stage_ask(interview, "STARTTLS", STAGE_STARTTLS, "STARTTLS\r\n");
	if (reply == NULL)
		return FALSE;
	if (outcome_is_success(STAGE_STARTTLS, reply)) {
		*ret_secured = shake_hands(interview);
		return *ret_secured;
	}
	if (tls_policy_forgives(policy, reply->code))
		return TRUE;
	return stage_accept(interview, STAGE_STARTTLS, reply);
}

static void
say_auth(const struct interview *interview, const char *mechanism,
    const struct reply *reply)
{
	const struct credentials *credentials = interview->security.credentials;
	g_autofree char *line = stage_line(reply);
	g_autofree char *who = NULL;

	stage_say(interview, line);
	who = g_strdup_printf("by %s as %s (profile %s)", mechanism,
	    credentials->username, credentials->profile);
	stage_below(interview, NULL, who);
}

/* What libESMTP's AUTH comes to. */
struct trial {
	struct interview *interview;
	struct session *session;
	struct auth auth;
	struct reply *reply; /* NULL: there is no verdict */
	gboolean done;       /* there will be no other */
};

/* As in a delivery the next mechanism comes after 504, and no other reply. */
static void
carry_auth(struct trial *trial, const char *line)
{
	if (!trial->auth.under_way) {
		g_clear_pointer(&trial->reply, reply_free);
		stage_begin(trial->interview, "AUTH");
	}
	trial->reply = auth_carry(&trial->auth, &trial->interview->dialogue,
	    trial->session, line);
	if (trial->reply != NULL)
		say_auth(trial->interview, trial->auth.mechanism, trial->reply);
	if (trial->reply != NULL && trial->reply->code == 504)
		session_tell_code(trial->session, 504);
	else
		trial->done = !trial->auth.under_way;
}

/* It never comes to MAIL. */
static void
hear_lib(const char *line, void *data)
{
	struct trial *trial = data;

	if (trial->done || g_str_has_prefix(line, "EHLO "))
		return;
	if (trial->auth.under_way || g_str_has_prefix(line, "AUTH "))
		carry_auth(trial, line);
	else
		trial->done = TRUE;
	trial->done = trial->done || trial->interview->dialogue.over;
	if (trial->done)
		session_refuse(trial->session);
}

/* libESMTP says EHLO, and is told of nothing but AUTH. */
static struct reply *
run_lib(struct interview *interview, struct session *session, guint mechanisms)
{
	struct dialogue *dialogue = &interview->dialogue;
	struct trial trial = {.interview = interview, .session = session};
	g_autofree char *offer = offer_format(&(struct offer){0}, mechanisms,
	    peer_tls(dialogue->peer) != NULL);

	session_tell_code(session, 220);
	session_tell(session, offer);
	session_run(session, hear_lib, &trial);
	if (trial.reply == NULL && !dialogue->over)
		dialogue_fail_here(dialogue, STAGE_AUTH,
		    "libESMTP has no plug-in for it");
	return trial.reply;
}

/* It would need somebody to send to, but never comes to that. */
static struct reply *
ask_lib(struct interview *interview, guint mechanisms)
{
	g_autoptr(Mailbox) recipient =
	    mailbox_parse("postmaster@invalid", NULL);
	g_autoptr(GPtrArray) recipients = g_ptr_array_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(Session) session = session_new();

	g_ptr_array_add(recipients, recipient);
	if (!session_begin(session, interview->helo_name, recipients,
		interview->security.credentials, &error)) {
		dialogue_fail_here(&interview->dialogue, STAGE_AUTH,
		    error->message);
		return NULL;
	}
	return run_lib(interview, session, mechanisms);
}

static struct reply *
ask_bearing(struct interview *interview, guint mechanisms)
{
	const char *mechanism;
	struct reply *reply = auth_bear(&interview->dialogue,
	    interview->security.credentials, mechanisms, &mechanism);

	if (reply != NULL)
		say_auth(interview, mechanism, reply);
	return reply;
}

static void
try_auth(struct interview *interview, guint mechanisms)
{
	g_autoptr(Reply) reply = NULL;

	reply = interview->security.credentials->token != NULL
	    ? ask_bearing(interview, mechanisms)
	    : ask_lib(interview, mechanisms);
	if (reply != NULL)
		stage_accept(interview, STAGE_AUTH, reply);
	else
		stage_fail_outcome(interview);
	secret_sweep();
}

/* Where there is no trying, and that is trouble. */
static void
fail_auth(struct interview *interview, const char *why)
{
	/* A line here begins so anyhow. */
	const char *rest =
	    g_str_has_prefix(why, "AUTH: ") ? why + strlen("AUTH: ") : why;
	g_autofree char *shown = printable(rest, STAGE_SHOWN);

	stage_skip(interview, "AUTH", shown);
	stage_trouble(interview, shown);
}

gboolean
interview_auth(struct interview *interview)
{
	const struct credentials *credentials = interview->security.credentials;
	const struct host_settings *settings = &interview->candidate->settings;
	g_autofree char *why = NULL;
	guint mechanisms;

	/* Credentials are not for just anybody. */
	if (settings->auth != NULL && interview->trouble != NULL)
		stage_skip(interview, "AUTH", "not tried");
	if (credentials == NULL || interview->trouble != NULL)
		return interview->trouble == NULL;
	stage_begin(interview, "AUTH");
	mechanisms = auth_usable(&interview->offer, credentials,
	    peer_tls(interview->dialogue.peer) != NULL ||
		settings->auth_in_clear == ANSWER_YES,
	    &why);
	if (mechanisms == 0)
		fail_auth(interview, why);
	else
		try_auth(interview, mechanisms);
	return interview->trouble == NULL;
}
