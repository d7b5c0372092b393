/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "smtp/outcome.h"
#include "util/printable.h"

/* Of a reply's text; the deferred line may have to name many hosts. */
#define REPLY_TEXT_MAX 300

gboolean
stage_is_opening(enum stage stage)
{
	return stage < STAGE_MAIL;
}

const char *
stage_name(enum stage stage)
{
	static const char *const names[] = {
	    [STAGE_RESOLVE] = "resolve",
	    [STAGE_CONNECT] = "connect",
	    [STAGE_GREETING] = "greeting",
	    [STAGE_EHLO] = "EHLO",
	    [STAGE_HELO] = "HELO",
	    [STAGE_STARTTLS] = "STARTTLS",
	    [STAGE_TLS] = "TLS",
	    [STAGE_AUTH] = "AUTH",
	    [STAGE_MAIL] = "MAIL FROM",
	    [STAGE_RCPT] = "RCPT TO",
	    [STAGE_DATA] = "DATA",
	    [STAGE_CONTENT] = "message content",
	    [STAGE_FINAL] = "end of DATA",
	};

	return names[stage];
}

/* RFC 5321 section 4.3.2. */
gboolean
outcome_is_success(enum stage stage, const struct reply *reply)
{
	switch (stage) {
	case STAGE_GREETING:
	case STAGE_STARTTLS:
		return reply->code == 220;
	case STAGE_AUTH:
		return reply->code == 235;
	case STAGE_EHLO:
	case STAGE_HELO:
		return reply->code == 250;
	case STAGE_DATA:
		return reply->code == 354;
	case STAGE_MAIL:
	case STAGE_RCPT:
		/* x5x: mail system (RFC 5321 section 4.2.1). */
		return reply->code / 10 == 25;
	case STAGE_FINAL:
		/* Whoever says 200 has the message: not to be sent again. */
		return reply->code / 100 == 2;
	default:
		return FALSE;
	}
}

gboolean
outcome_asks_for_helo(const struct reply *reply)
{
	return reply->code == 500 || reply->code == 501 || reply->code == 502 ||
	    reply->code == 504;
}

/*
 * MAIL refused for want of TLS (RFC 3207 section 4; RFC 5248 has
 * "encryption needed").
 */
static gboolean
wants_tls(enum stage stage, const struct reply *reply)
{
	g_autofree char *text = NULL;
	g_autofree char *upper = NULL;

	if (stage != STAGE_MAIL || reply->code != 530)
		return FALSE;
	text = reply_text(reply);
	upper = g_ascii_strup(text, -1);
	return strstr(upper, "STARTTLS") != NULL ||
	    g_str_equal(reply->dsn, "5.7.10");
}

/*
 * AUTH refused, or MAIL for want of it (RFC 4954 section 6).  Its 534 and 538
 * are replies to AUTH only: hosts that give them to MAIL mean something else
 * (Courier: "534 SIZE=Message too big.").
 */
static gboolean
wants_auth(enum stage stage, int code)
{
	if (stage == STAGE_AUTH)
		return code != 421;
	return stage == STAGE_MAIL && (code == 530 || code == 535);
}

/* Whose trouble is a refusal? */
static enum trouble
trouble_of(enum stage stage, const struct reply *reply)
{
	/* X.3.z: mail system status (RFC 3463 section 3.4). */
	gboolean system = g_str_has_prefix(reply->dsn, "4.3.");

	if (stage_is_opening(stage) || wants_auth(stage, reply->code) ||
	    (system && (stage == STAGE_MAIL || reply->code == 421)))
		return TROUBLE_HOST;
	if (reply->code == 421)
		return TROUBLE_SUSPECT;
	return stage == STAGE_RCPT ? TROUBLE_RECIPIENT : TROUBLE_MESSAGE;
}

/*
 * 552 for "too many recipients", as RFC 821 had it (RFC 5321 section
 * 4.5.3.1.10), unless the host says that it means something else (5.5.3: RFC
 * 3463 section 3.6).
 */
static gboolean
is_too_many(const struct reply *reply)
{
	return reply->code == 552 &&
	    (reply->dsn[0] == '\0' || g_str_equal(reply->dsn, "5.5.3"));
}

static enum outcome_kind
kind_of_reply(enum stage stage, const struct reply *reply, guint recipients)
{
	if (reply->code / 100 != 5 || stage_is_opening(stage) ||
	    wants_auth(stage, reply->code))
		return OUTCOME_NEXT;
	if (stage == STAGE_RCPT && recipients > 1 && is_too_many(reply))
		return OUTCOME_NEXT;
	return OUTCOME_BOUNCE;
}

static void
set_dsn(struct outcome *outcome, const struct reply *reply)
{
	static const char classes[] = {
	    [OUTCOME_NEXT] = '4',
	    [OUTCOME_UNSURE] = '4',
	    [OUTCOME_BOUNCE] = '5',
	    [OUTCOME_HELD] = '4',
	    [OUTCOME_DELIVERED] = '2',
	};

	const char *dsn = reply->dsn[0] != '\0' ? reply->dsn : "x.0.0";

	/* RFC 3463 section 3.8, RFC 4954 section 6. */
	if (wants_tls(outcome->stage, reply))
		dsn = "4.7.4";
	else if (wants_auth(outcome->stage, reply->code))
		dsn = "4.7.8";
	else if (outcome->stage == STAGE_STARTTLS && reply->code != 421)
		dsn = "4.7.4";
	g_strlcpy(outcome->dsn, dsn, sizeof(outcome->dsn));
	outcome->dsn[0] = classes[outcome->kind];
}

/* A code that no command of this stage has: whose reply is it? */
static void
out_of_step(struct outcome *outcome, enum stage stage, const char *reply)
{
	g_autofree char *what = NULL;

	what = g_strdup_printf("unexpected reply: %s", reply);
	outcome_from_failure(outcome, stage, what);
}

/* "code text", for a line. */
static char *
whole_reply(const struct reply *reply, char **ret_text)
{
	g_autofree char *raw = reply_text(reply);
	GString *whole = g_string_new(NULL);

	*ret_text = printable(raw, REPLY_TEXT_MAX);
	reply_append_code(whole, reply->code);
	if ((*ret_text)[0] != '\0')
		g_string_append_c(whole, ' ');
	g_string_append(whole, *ret_text);
	return g_string_free(whole, FALSE);
}

void
outcome_from_welcome(struct outcome *outcome, const struct reply *reply)
{
	g_autofree char *text = NULL;
	g_autofree char *whole = whole_reply(reply, &text);

	outcome_clear(outcome);
	outcome->kind = OUTCOME_DELIVERED;
	outcome->stage = STAGE_RCPT;
	outcome->code = reply->code;
	outcome->reply = g_steal_pointer(&text);
	outcome->text = g_strdup_printf("%s (in reply to %s)", whole,
	    stage_name(STAGE_RCPT));
	set_dsn(outcome, reply);
}

void
outcome_from_reply(struct outcome *outcome, enum stage stage,
    const struct reply *reply, guint recipients)
{
	gboolean success =
	    stage == STAGE_FINAL && outcome_is_success(stage, reply);
	g_autofree char *text = NULL;
	g_autofree char *whole = whole_reply(reply, &text);

	if (reply->code < 400 && !success) {
		out_of_step(outcome, stage, whole);
		return;
	}
	outcome_clear(outcome);
	outcome->stage = stage;
	outcome->code = reply->code;
	outcome->reply = g_steal_pointer(&text);
	if (success) {
		outcome->kind = OUTCOME_DELIVERED;
		outcome->text = g_steal_pointer(&whole);
		set_dsn(outcome, reply);
		return;
	}
	outcome->kind = kind_of_reply(stage, reply, recipients);
	outcome->trouble = trouble_of(stage, reply);
	outcome->text = g_strdup_printf("%s (in %s%s)", whole,
	    stage == STAGE_GREETING ? "" : "reply to ", stage_name(stage));
	set_dsn(outcome, reply);
}

void
outcome_from_failure(struct outcome *outcome, enum stage stage,
    const char *what)
{
	g_autofree char *text = NULL;

	text = g_strdup_printf("%s: %s", stage_name(stage), what);
	outcome_set(outcome,
	    stage == STAGE_FINAL ? OUTCOME_UNSURE : OUTCOME_NEXT, TROUBLE_HOST,
	    stage, stage == STAGE_CONNECT ? "4.4.1" : "4.4.2", text);
}

void
outcome_set(struct outcome *outcome, enum outcome_kind kind,
    enum trouble trouble, enum stage stage, const char *dsn, const char *what)
{
	g_autofree char *text = printable(what, REPLY_TEXT_MAX);

	outcome_clear(outcome);
	outcome->kind = kind;
	outcome->trouble = trouble;
	outcome->stage = stage;
	g_strlcpy(outcome->dsn, dsn, sizeof(outcome->dsn));
	outcome->text = g_steal_pointer(&text);
}

gboolean
outcome_is_too_many(const struct outcome *outcome)
{
	return outcome->kind == OUTCOME_NEXT && outcome->stage == STAGE_RCPT &&
	    (outcome->code == 452 || outcome->code == 552);
}

void
outcome_move(struct outcome *outcome, struct outcome *from)
{
	if (outcome == from)
		return;
	outcome_clear(outcome);
	*outcome = *from;
	memset(from, 0, sizeof(*from));
}

void
outcome_forgive(struct outcome *outcome)
{
	outcome->kind = OUTCOME_NEXT;
	outcome->dsn[0] = '4';
}

void
outcome_copy(struct outcome *outcome, const struct outcome *from)
{
	outcome_clear(outcome);
	*outcome = *from;
	outcome->reply = g_strdup(from->reply);
	outcome->text = g_strdup(from->text);
}

void
outcome_clear(struct outcome *outcome)
{
	g_free(outcome->reply);
	g_free(outcome->text);
	memset(outcome, 0, sizeof(*outcome));
}
