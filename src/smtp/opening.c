/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "smtp/opening.h"
#include "util/deadline.h"

/* "TLS: " and more, since the stage alone does not say it. */
static void
fail_tls(struct dialogue *dialogue, enum trouble trouble, enum stage stage,
    const char *dsn, const char *what)
{
	g_autofree char *text =
	    g_strdup_printf("%s: %s", stage_name(stage), what);

	dialogue_fail_as(dialogue, trouble, stage, dsn, text);
}

static char *
describe_failure(const struct dialogue *dialogue,
    const struct tls_policy *policy, const GError *error)
{
	g_autofree char *late = NULL;

	if (g_error_matches(error, TLS_ERROR, TLS_ERROR_CLEAR) &&
	    policy->level == TLS_WRAPPER)
		return g_strdup_printf(
		    "%s; the port begins without TLS, try tls=secure",
		    error->message);
	if (!g_error_matches(error, PEER_ERROR, PEER_ERROR_TIMEOUT))
		return g_strdup(error->message);
	late = deadline_passed(dialogue_span(dialogue, STAGE_TLS),
	    dialogue->deadline);
	return g_strdup_printf("handshake %s", late);
}

/* The host has ended TLS, or never began it. */
static void
fail_secured(struct opening *opening, struct dialogue *dialogue,
    const struct tls_policy *policy, char *what)
{
	dialogue->over = TRUE;
	if (tls_policy_is_required(policy)) {
		fail_tls(dialogue, TROUBLE_HOST, STAGE_TLS, "4.7.5", what);
		g_free(what);
	} else {
		opening->tls_failure = what;
	}
}

gboolean
opening_shake_hands(struct opening *opening, struct dialogue *dialogue,
    const struct tls_policy *policy)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *what = NULL;

	if (peer_start_tls(dialogue->peer, policy,
		dialogue_deadline(dialogue, STAGE_TLS), &error))
		return TRUE;
	what = describe_failure(dialogue, policy, error);
	opening->late = g_error_matches(error, PEER_ERROR, PEER_ERROR_TIMEOUT);
	dialogue->over = TRUE;
	if (g_error_matches(error, PEER_ERROR, PEER_ERROR_SPOKE))
		fail_tls(dialogue, TROUBLE_HOST, STAGE_STARTTLS, "4.7.5",
		    "reply out of turn");
	else if (g_error_matches(error, TLS_ERROR, TLS_ERROR_LOCAL))
		fail_tls(dialogue, TROUBLE_MESSAGE, STAGE_TLS, "4.3.5", what);
	else
		fail_secured(opening, dialogue, policy, g_steal_pointer(&what));
	return FALSE;
}

gboolean
opening_wrap(struct opening *opening, struct dialogue *dialogue,
    const struct tls_policy *policy)
{
	return policy->level != TLS_WRAPPER ||
	    opening_shake_hands(opening, dialogue, policy);
}

static gboolean
fail_not_offered(struct dialogue *dialogue, const struct tls_policy *policy)
{
	g_autofree char *what = tls_policy_not_offered(policy);

	dialogue_quit(dialogue);
	fail_tls(dialogue, TROUBLE_HOST, STAGE_STARTTLS, "4.7.4", what);
	return FALSE;
}

static void
note_refusal(struct opening *opening, const struct reply *reply)
{
	struct outcome outcome = {0};

	outcome_from_reply(&outcome, STAGE_STARTTLS, reply, 1);
	opening->refusal = g_steal_pointer(&outcome.text);
	outcome_clear(&outcome);
}

static gboolean
ask_starttls(struct opening *opening, struct dialogue *dialogue,
    const struct tls_policy *policy)
{
	g_autoptr(Reply) reply =
	    dialogue_ask(dialogue, STAGE_STARTTLS, "STARTTLS\r\n");

	if (reply == NULL)
		return FALSE;
	if (outcome_is_success(STAGE_STARTTLS, reply))
		return opening_shake_hands(opening, dialogue, policy);
	if (tls_policy_forgives(policy, reply->code)) {
		note_refusal(opening, reply);
		return TRUE;
	}
	dialogue_settle(dialogue, STAGE_STARTTLS, reply);
	dialogue_quit(dialogue);
	return FALSE;
}

void
opening_judge_loss(struct opening *opening, struct dialogue *dialogue,
    const struct tls_policy *policy)
{
	const struct tls *tls = peer_tls(dialogue->peer);
	const char *alert = tls != NULL ? tls_alert(tls) : NULL;

	if (alert == NULL)
		return;
	opening->rejected = TRUE;
	transaction_reopen(dialogue->transaction);
	fail_secured(opening, dialogue, policy,
	    g_strdup_printf("ended by the host: %s", alert));
}

gboolean
opening_ehlo(struct opening *opening, struct dialogue *dialogue,
    const char *command)
{
	g_autofree char *own = g_strdup(command);
	struct reply *reply;

	if (opening->lmtp)
		memcpy(own, "LHLO", 4);
	reply = dialogue_ask(dialogue, STAGE_EHLO, own);
	g_clear_pointer(&opening->ehlo, reply_free);
	opening->ehlo = reply;
	opening->offer = (struct offer){0};
	if (reply != NULL && outcome_is_success(STAGE_EHLO, reply))
		opening->offer = offer_parse(reply, opening->ehlo_ignore);
	return reply != NULL;
}

/* Nothing learned before TLS counts (RFC 3207 section 4.2). */
static gboolean
ask_again(struct opening *opening, struct dialogue *dialogue,
    const struct tls_policy *policy, const char *command)
{
	if (opening_ehlo(opening, dialogue, command))
		return TRUE;
	opening_judge_loss(opening, dialogue, policy);
	return FALSE;
}

struct reply *
opening_greeting(struct opening *opening, struct dialogue *dialogue,
    const struct tls_policy *policy)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *what = NULL;
	g_autofree char *hint = NULL;
	struct reply *reply = peer_reply(dialogue->peer,
	    dialogue_deadline(dialogue, STAGE_GREETING), &error);

	if (reply != NULL)
		return reply;
	what = dialogue_what(dialogue, STAGE_GREETING, error);
	/* Who waits for our ClientHello may also leave, or send an alert. */
	if (tls_policy_wants_wrapper(policy))
		hint = g_strdup_printf("%s; port %u usually wants tls=wrapper",
		    what, policy->port);
	dialogue_fail(dialogue, STAGE_GREETING, hint != NULL ? hint : what);
	opening_judge_loss(opening, dialogue, policy);
	return NULL;
}

gboolean
opening_starttls(struct opening *opening, struct dialogue *dialogue,
    const struct tls_policy *policy, const char *helo_name)
{
	g_autofree char *command = g_strdup_printf("EHLO %s\r\n", helo_name);
	gboolean success;

	if (policy->level == TLS_NONE || policy->level == TLS_WRAPPER)
		return TRUE;
	if (!opening_ehlo(opening, dialogue, command))
		return FALSE;
	success = outcome_is_success(STAGE_EHLO, opening->ehlo);
	if (!opening->offer.starttls) {
		if (tls_policy_is_required(policy) &&
		    (success || outcome_asks_for_helo(opening->ehlo)))
			return fail_not_offered(dialogue, policy);
		return TRUE;
	}
	if (!ask_starttls(opening, dialogue, policy))
		return FALSE;
	return peer_tls(dialogue->peer) == NULL ||
	    ask_again(opening, dialogue, policy, command);
}

void
opening_clear(struct opening *opening)
{
	g_clear_pointer(&opening->ehlo, reply_free);
	g_clear_pointer(&opening->refusal, g_free);
	g_clear_pointer(&opening->tls_failure, g_free);
}
