/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole sessions: libESMTP on one side, a host that follows a script on the
 * other.
 */
#include <config.h>

#include <signal.h>
#include <string.h>

#include <glib.h>

#include "smtp/offer.h"
#include "smtp/wire.h"
#include "unit/scripted.h"
#include "unit/table.h"
#include "util/deadline.h"

#define FOREVER (deadline_in(G_TIME_SPAN_MINUTE * 10))
#define S       ((gint64)G_USEC_PER_SEC)

#define TEXT  "Subject: t\n\nb\n"
#define SIZE  "17" /* of TEXT, with CRLF */
#define EIGHT "Subject: t\n\n\303\274\n"

/* Of the user's. */
#define SECRET "geheim77"

static const struct timeouts timeouts = {
    .connect = 600 * S,
    .greeting = 600 * S,
    .command = 600 * S,
    .data = 600 * S,
    .final = 600 * S,
};

/* ---- what is told of it ---- */

static void
note(GString *events, const char *what, const char *more)
{
	g_string_append_printf(events, "%s%s%s", events->len > 0 ? ";" : "",
	    what, more);
}

static void
on_greeted(void *data)
{
	note(data, "greeted", "");
}

static void
on_secured(const char *description, void *data)
{
	note(data, "secured ", description);
}

static void
on_unsecured(const char *why, void *data)
{
	note(data, "unsecured ", why);
}

static void
on_authenticated(const char *mechanism, void *data)
{
	note(data, "authenticated ", mechanism);
}

static void
on_said(gboolean ours, const char *line, void *data)
{
	note(data, ours ? "> " : "< ", line);
}

static void
on_accepted(void *data)
{
	note(data, "accepted", "");
}

static void
on_begun(void *data)
{
	note(data, "begun", "");
}

static void
on_unnoticed(void *data)
{
	note(data, "unnoticed", "");
}

static const struct wire_events events = {
    .greeted = on_greeted,
    .secured = on_secured,
    .unsecured = on_unsecured,
    .authenticated = on_authenticated,
    .said = on_said,
    .begun = on_begun,
    .unnoticed = on_unnoticed,
    .accepted = on_accepted,
};

/* ---- a session ---- */

enum with {
	WITH_NOTHING = 0,
	WITH_PARTIAL = 1 << 0,
	WITH_KEEP = 1 << 1,
	WITH_EIGHT = 1 << 2, /* bits in the message */
	WITH_PASSWORD = 1 << 3,
	WITH_TOKEN = 1 << 4,
	WITH_IN_CLEAR = 1 << 5,
	WITHOUT_CRAM_MD5 = 1 << 6,
	WITH_TLS = 1 << 7, /* a must */
	WITH_TLS_MAY = 1 << 8,
	WITH_TRANSCRIPT = 1 << 9,
	WITHOUT_SIZE = 1 << 10, /* though it is offered */
};

struct trial {
	struct scripted host;
	struct wire *wire;
	struct wire_again again;
	GString *told;
	GString *outcomes;
};

static const struct credentials with_password = {
    .profile = (char *)(guintptr) "p",
    .username = (char *)(guintptr) "me",
    .password = (char *)(guintptr)SECRET,
};

static const struct credentials with_token = {
    .profile = (char *)(guintptr) "p",
    .username = (char *)(guintptr) "me",
    .token = (char *)(guintptr) "token123",
};

static struct message *
make_message(guint with)
{
	const char *text = with & WITH_EIGHT ? EIGHT : TEXT;
	struct message *message = message_new("/nonexistent");

	g_assert_true(message_add(message, text, strlen(text), NULL));
	g_assert_true(message_end(message, NULL));
	return message;
}

static GPtrArray *
make_recipients(guint count)
{
	GPtrArray *recipients =
	    g_ptr_array_new_with_free_func((GDestroyNotify)mailbox_free);

	for (guint i = 0; i < count; i++) {
		g_autofree char *path = g_strdup_printf("to%u@b.example", i);

		g_ptr_array_add(recipients, mailbox_parse(path, NULL));
	}
	return recipients;
}

/* "D- 250 Ok": its kind, whose trouble, and the words. */
static void
note_outcome(GString *text, const struct outcome *outcome)
{
	static const char kinds[] = {
	    [OUTCOME_NEXT] = 'N',
	    [OUTCOME_UNFIT] = 'X',
	    [OUTCOME_UNSURE] = 'U',
	    [OUTCOME_BOUNCE] = 'B',
	    [OUTCOME_HELD] = 'H',
	    [OUTCOME_DELIVERED] = 'D',
	};
	static const char troubles[] = {
	    [TROUBLE_NONE] = '-',
	    [TROUBLE_HOST] = 'h',
	    [TROUBLE_SUSPECT] = 's',
	    [TROUBLE_MESSAGE] = 'm',
	    [TROUBLE_RECIPIENT] = 'r',
	};

	g_string_append_printf(text, "%s%c%c %s", text->len > 0 ? ";" : "",
	    kinds[outcome->kind], troubles[outcome->trouble],
	    outcome->text != NULL ? outcome->text : "none");
}

/* One message over the wire. */
static void
trial_send(struct trial *trial, guint with, guint count)
{
	g_autoptr(Message) message = make_message(with);
	g_autoptr(GPtrArray) recipients = make_recipients(count);
	g_autofree struct outcome *outcomes = g_new0(struct outcome, count);
	g_autoptr(Mailbox) sender = mailbox_parse_sender("me@a.example", NULL);
	const struct tls_policy policy = {
	    .level = with & WITH_TLS  ? TLS_SECURE
		: with & WITH_TLS_MAY ? TLS_MAY
				      : TLS_NONE,
	    .expected = "b.example",
	};
	const struct wire_job job = {
	    .helo_name = "me.example",
	    .sender = sender,
	    .recipients = recipients,
	    .partial = (with & WITH_PARTIAL) != 0,
	    .keep = (with & WITH_KEEP) != 0,
	    .message = message,
	    .timeouts = &timeouts,
	    .deadline = FOREVER,
	    .tls = &policy,
	    .credentials = with & WITH_PASSWORD ? &with_password
		: with & WITH_TOKEN             ? &with_token
						: NULL,
	    .auth_in_clear = (with & WITH_IN_CLEAR) != 0,
	    .auth_without = with & WITHOUT_CRAM_MD5 ? MECHANISM_CRAM_MD5 : 0,
	    .ehlo_ignore = with & WITHOUT_SIZE ? "SIZE" : NULL,
	    .transcript = (with & WITH_TRANSCRIPT) != 0,
	    .events = &events,
	    .data = trial->told,
	};

	g_free(trial->again.why);
	wire_send(trial->wire, &job, outcomes, &trial->again);
	for (guint i = 0; i < count; i++) {
		note_outcome(trial->outcomes, &outcomes[i]);
		outcome_clear(&outcomes[i]);
	}
}

static void
trial_make(struct trial *trial, const char *script)
{
	*trial = (struct trial){
	    .told = g_string_new(NULL),
	    .outcomes = g_string_new(NULL),
	};
	trial->wire = wire_new(scripted_pair(&trial->host, script));
}

static void
trial_end(struct trial *trial)
{
	g_clear_pointer(&trial->wire, wire_free);
	scripted_end(&trial->host);
}

static void
trial_clear(struct trial *trial)
{
	trial_end(trial);
	scripted_clear(&trial->host);
	g_free(trial->again.why);
	g_string_free(trial->told, TRUE);
	g_string_free(trial->outcomes, TRUE);
}

#define HI               "220 b|250 b|"
#define EHLO             "EHLO"
#define MAIL             ";MAIL FROM:<me@a.example>"
#define RCPT             ";RCPT"
#define DATA             ";DATA"
#define DOT              ";."
#define QUIT             ";QUIT"
#define HELD             "H- not sent, since another recipient was refused"
#define NO               "550 5.1.1 no"
#define NO_R             "Br " NO " (in reply to RCPT TO)"
#define TOLD             "greeted;begun;accepted"
#define PIPED            "220 b|250-b\n250 PIPELINING|"
#define AUTH(mechanisms) "220 b|250-b\n250 AUTH " mechanisms "|"
#define ALL              MAIL RCPT DATA DOT QUIT
#define OK               "250 o|250 o|354 o|250 2.0.0 Ok|221 o"
#define SENT             "D- 250 2.0.0 Ok"

/* AUTH PLAIN: "\0me\0geheim77" */
#define PLAIN ";AUTH PLAIN AG1lAGdlaGVpbTc3"
/* AUTH LOGIN, and its answers. */
#define LOGIN ";AUTH LOGIN;bWU=;Z2VoZWltNzc="
/* The token's. */
#define XOAUTH2 ";AUTH XOAUTH2 dXNlcj1tZQFhdXRoPUJlYXJlciB0b2tlbjEyMwEB"

static const struct row {
	const char *says;
	guint with;
	guint recipients;
	const char *script;
	const char *heard;
	const char *outcomes;
	const char *told;
} rows[] = {
    {"a message", 0, 1, HI OK, EHLO ALL, SENT, TOLD},
    {"to two", 0, 2, HI "250 o|250 o|250 o|354 o|250 2.0.0 Ok|221 o",
	EHLO MAIL RCPT RCPT DATA DOT QUIT, SENT ";" SENT, TOLD},
    {"one of whom is refused", 0, 2, HI "250 o|250 o|" NO "|221 o",
	EHLO MAIL RCPT RCPT QUIT, HELD ";" NO_R, TOLD},
    {"the first one", 0, 2, HI "250 o|" NO "|250 o|221 o",
	EHLO MAIL RCPT RCPT QUIT, NO_R ";" HELD, TOLD},
    {"the other one has it nonetheless", WITH_PARTIAL, 2,
	HI "250 o|250 o|" NO "|354 o|250 2.0.0 Ok|221 o",
	EHLO MAIL RCPT RCPT DATA DOT QUIT, SENT ";" NO_R, TOLD},
    {"both are refused", WITH_PARTIAL, 2, HI "250 o|" NO "|" NO "|221 o",
	EHLO MAIL RCPT RCPT QUIT, NO_R ";" NO_R, TOLD},
    {"all in a row", 0, 2, PIPED "250 o|250 o|250 o|354 o|250 2.0.0 Ok|221 o",
	EHLO MAIL RCPT RCPT DATA DOT QUIT, SENT ";" SENT, TOLD},
    {"in a row, one is refused", 0, 2, PIPED "250 o|250 o|" NO "|221 o",
	EHLO MAIL RCPT RCPT QUIT, HELD ";" NO_R, TOLD},
    {"in one volley", WITH_PARTIAL, 2,
	PIPED "250 o|250 o|250 o|354 o|250 2.0.0 Ok|221 o",
	EHLO MAIL RCPT RCPT DATA DOT QUIT, SENT ";" SENT, TOLD},
    {"in one volley, one is refused", WITH_PARTIAL, 2,
	PIPED "250 o|" NO "|250 o|354 o|250 2.0.0 Ok|221 o",
	EHLO MAIL RCPT RCPT DATA DOT QUIT, NO_R ";" SENT, TOLD},
    {"in one volley, all are", WITH_PARTIAL, 1,
	PIPED "250 o|" NO "|503 o|221 o", EHLO MAIL RCPT DATA QUIT, NO_R, TOLD},
    {"in one volley, MAIL is", WITH_PARTIAL, 1,
	PIPED "451 4.7.1 o|503 o|503 o|221 o", EHLO MAIL RCPT DATA QUIT,
	"Nm 451 4.7.1 o (in reply to MAIL FROM)", "greeted;begun"},

    {"the greeting is a refusal", 0, 1, "554 5.7.1 no|221 o", "QUIT",
	"Nh 554 5.7.1 no (in greeting)", ""},
    {"the host knows HELO only", 0, 1, "220 b|502 o|250 o|" OK,
	EHLO ";HELO" ALL, SENT, TOLD},
    {"nor that", 0, 1, "220 b|502 o|550 o|221 o", EHLO ";HELO;QUIT",
	"Nh 550 o (in reply to HELO)", "greeted"},
    {"EHLO is refused", 0, 1, "220 b|550 o|221 o", EHLO QUIT,
	"Nh 550 o (in reply to EHLO)", "greeted"},
    {"the host closes at EHLO", 0, 1, "220 b|421 4.3.2 o|221 o", EHLO,
	"Nh 421 4.3.2 o (in reply to EHLO)", "greeted"},
    {"MAIL is refused", 0, 1, HI NO "|221 o", EHLO MAIL QUIT,
	"Bm " NO " (in reply to MAIL FROM)", "greeted;begun"},
    {"the host closes at MAIL", 0, 1, HI "421 o|221 o", EHLO MAIL,
	"Ns 421 o (in reply to MAIL FROM)", "greeted;begun"},
    {"it is lost at RCPT", 0, 1, HI "250 o|!", EHLO MAIL RCPT,
	"Nh RCPT TO: connection lost", TOLD},
    {"it closes at RCPT", 0, 2, HI "250 o|250 o|421 4.3.2 o|221 o",
	EHLO MAIL RCPT RCPT,
	"Nh 421 4.3.2 o (in reply to RCPT TO);"
	"Nh 421 4.3.2 o (in reply to RCPT TO)",
	TOLD},
    {"a reply to something else at RCPT", 0, 1, HI "250 o|354 o|221 o",
	EHLO MAIL RCPT, "Nh RCPT TO: unexpected reply: 354 o", TOLD},
    {"the last code of these", 0, 1, HI "250 o|399 o|221 o", EHLO MAIL RCPT,
	"Nh RCPT TO: unexpected reply: 399 o", TOLD},
    {"the first that is a refusal", 0, 1, HI "250 o|400 o|221 o",
	EHLO MAIL RCPT QUIT, "Nr 400 o (in reply to RCPT TO)", TOLD},
    {"DATA is refused", 0, 1, HI "250 o|250 o|451 4.3.0 o|221 o",
	EHLO MAIL RCPT DATA QUIT, "Nm 451 4.3.0 o (in reply to DATA)", TOLD},
    {"the content is", 0, 1, HI "250 o|250 o|354 o|554 5.6.0 o|221 o", EHLO ALL,
	"Bm 554 5.6.0 o (in reply to end of DATA)", TOLD},
    {"it is lost behind the dot", 0, 1, HI "250 o|250 o|354 o|!",
	EHLO MAIL RCPT DATA DOT, "Uh end of DATA: connection lost", TOLD},
    {"a second reply to EHLO", 0, 1, "220 b|250 b\n250 b|" OK, EHLO,
	"Nh MAIL FROM: reply out of turn: 250 b", "greeted;begun"},
    {"a second reply to MAIL", 0, 1, HI "250 o\n250 p|250 o|221 o", EHLO MAIL,
	"Nh RCPT TO: reply out of turn: 250 p", TOLD},

    {"a message as large as can be", 0, 1, "220 b|250-b\n250 SIZE " SIZE "|" OK,
	EHLO MAIL " SIZE=" SIZE RCPT DATA DOT QUIT, SENT, TOLD},
    {"a larger one", 0, 1, "220 b|250-b\n250 SIZE 16|221 o", EHLO QUIT,
	"Bm message size 17 exceeds the host's limit of 16 (SIZE)", "greeted"},
    {"a limit that is not believed", WITHOUT_SIZE, 1,
	"220 b|250-b\n250 SIZE 16|" OK, EHLO ALL, SENT, TOLD},
    {"no limit", 0, 1, "220 b|250-b\n250 SIZE|" OK,
	EHLO MAIL " SIZE=" SIZE RCPT DATA DOT QUIT, SENT, TOLD},
    {"eight bits", WITH_EIGHT, 1, "220 b|250-b\n250 8BITMIME|" OK,
	EHLO MAIL " BODY=8BITMIME" RCPT DATA DOT QUIT, SENT, TOLD},
    {"eight bits, where nobody asks", WITH_EIGHT, 1, HI OK, EHLO ALL, SENT,
	TOLD},
    {"seven bits", 0, 1, "220 b|250-b\n250 8BITMIME|" OK, EHLO ALL, SENT, TOLD},

    {"two refusals, in step", WITH_PARTIAL, 2, HI "250 o|" NO "|" NO "|221 o|-",
	EHLO MAIL RCPT RCPT QUIT, NO_R ";" NO_R, TOLD},
    {"two refusals, and one more", WITH_PARTIAL, 2,
	HI "250 o|" NO "|" NO "|550 o", EHLO MAIL RCPT RCPT QUIT,
	"Nh RCPT TO: replies out of step;Nh RCPT TO: replies out of step",
	TOLD},
    {"two refusals, and rubbish", WITH_PARTIAL, 2,
	HI "250 o|" NO "|" NO "|hello", EHLO MAIL RCPT RCPT QUIT,
	"Nh RCPT TO: replies out of step;Nh RCPT TO: replies out of step",
	TOLD},
    {"two refusals, and it closes", WITH_PARTIAL, 2,
	HI "250 o|" NO "|" NO "|421 o", EHLO MAIL RCPT RCPT QUIT, NO_R ";" NO_R,
	TOLD},
    {"two refusals, and it is gone", WITH_PARTIAL, 2,
	HI "250 o|" NO "|" NO "|!", EHLO MAIL RCPT RCPT QUIT, NO_R ";" NO_R,
	TOLD},
    {"one refusal is no echo, whatever comes", 0, 1, HI "250 o|" NO "|550 o",
	EHLO MAIL RCPT QUIT, NO_R, TOLD},
    {"DATA may be refused by an echo", WITH_PARTIAL, 2,
	HI "250 o|250 o|" NO "|554 5.5.0 o|550 o",
	EHLO MAIL RCPT RCPT DATA QUIT,
	"Nh DATA: replies out of step;Nh DATA: replies out of step", TOLD},
    {"the content cannot", WITH_PARTIAL, 2,
	HI "250 o|250 o|" NO "|354 o|554 5.6.0 o|550 o",
	EHLO MAIL RCPT RCPT DATA DOT QUIT,
	"Bm 554 5.6.0 o (in reply to end of DATA);" NO_R, TOLD},

    {"TLS is a must", WITH_TLS, 1, HI "221 o", EHLO QUIT,
	"Nh STARTTLS: not offered, but required (tls=secure)", "greeted"},
    {"TLS is refused", WITH_TLS_MAY, 1,
	"220 b|250-b\n250 STARTTLS|454 4.7.0 o|" OK, EHLO ";STARTTLS" ALL, SENT,
	"greeted;unsecured 454 4.7.0 o (in reply to STARTTLS);begun;accepted"},

    {"AUTH", WITH_PASSWORD | WITH_IN_CLEAR, 1, AUTH("PLAIN") "235 o|" OK,
	EHLO PLAIN ALL, SENT, "greeted;authenticated PLAIN;begun;accepted"},
    {"AUTH in pieces", WITH_PASSWORD | WITH_IN_CLEAR, 1,
	AUTH("LOGIN") "334 VXNlcm5hbWU6|334 UGFzc3dvcmQ6|235 o|" OK,
	EHLO LOGIN ALL, SENT, "greeted;authenticated LOGIN;begun;accepted"},
    {"AUTH is refused", WITH_PASSWORD | WITH_IN_CLEAR, 1,
	AUTH("PLAIN") "535 5.7.8 o|221 o", EHLO PLAIN QUIT,
	"Nh 535 5.7.8 o (in reply to AUTH)", "greeted"},
    {"AUTH is refused with what it said", WITH_PASSWORD | WITH_IN_CLEAR, 1,
	AUTH("PLAIN") "535 5.7.8 not " SECRET "|221 o", EHLO PLAIN QUIT,
	"Nh 535 5.7.8 not ******** (in reply to AUTH)", "greeted"},
    {"AUTH is to wait", WITH_PASSWORD | WITH_IN_CLEAR, 1,
	AUTH("PLAIN") "454 4.7.0 o|221 o", EHLO PLAIN QUIT,
	"Nh 454 4.7.0 o (in reply to AUTH)", "greeted"},
    {"the host closes at AUTH", WITH_PASSWORD | WITH_IN_CLEAR, 1,
	AUTH("PLAIN") "421 4.7.0 o|221 o", EHLO PLAIN,
	"Nh 421 4.7.0 o (in reply to AUTH)", "greeted"},
    {"it is lost there", WITH_PASSWORD | WITH_IN_CLEAR, 1, AUTH("PLAIN") "!",
	EHLO PLAIN, "Nh AUTH: connection lost", "greeted"},
    {"AUTH is not offered", WITH_PASSWORD | WITH_IN_CLEAR, 1, HI "221 o",
	EHLO QUIT, "Nh AUTH: not offered", "greeted"},
    {"AUTH is not for clear text", WITH_PASSWORD, 1, AUTH("PLAIN") "221 o",
	EHLO QUIT, "Nh AUTH: not in clear text", "greeted"},
    {"HELO has no AUTH", WITH_PASSWORD | WITH_IN_CLEAR, 1, "220 b|502 o|221 o",
	EHLO QUIT, "Nh AUTH: not offered", "greeted"},
    {"a mechanism that it has not", WITH_PASSWORD | WITH_IN_CLEAR, 1,
	AUTH("PLAIN LOGIN") "504 o|334 VXNlcm5hbWU6|334 UGFzc3dvcmQ6|235 o|" OK,
	EHLO PLAIN LOGIN ALL, SENT,
	"greeted;authenticated LOGIN;begun;accepted"},
    {"none that it has", WITH_PASSWORD | WITH_IN_CLEAR, 1,
	AUTH("PLAIN") "504 5.5.4 o|221 o", EHLO PLAIN QUIT,
	"Nh 504 5.5.4 o (in reply to AUTH)", "greeted"},
    {"not by CRAM-MD5", WITH_PASSWORD | WITH_IN_CLEAR | WITHOUT_CRAM_MD5, 1,
	AUTH("CRAM-MD5 PLAIN") "235 o|" OK, EHLO PLAIN ALL, SENT,
	"greeted;authenticated PLAIN;begun;accepted"},
    {"a token", WITH_TOKEN | WITH_IN_CLEAR, 1,
	AUTH("XOAUTH2 PLAIN") "235 o|" OK, EHLO XOAUTH2 ALL, SENT,
	"greeted;authenticated XOAUTH2;begun;accepted"},
    {"a token is refused", WITH_TOKEN | WITH_IN_CLEAR, 1,
	AUTH("XOAUTH2") "535 5.7.8 o|221 o", EHLO XOAUTH2 QUIT,
	"Nh 535 5.7.8 o (in reply to AUTH)", "greeted"},
    {"a token, and nobody takes any", WITH_TOKEN | WITH_IN_CLEAR, 1,
	AUTH("PLAIN") "221 o", EHLO QUIT,
	"Nh AUTH: no usable mechanism offered (PLAIN)", "greeted"},
};

static void
test_row(gconstpointer data)
{
	const struct row *row = data;
	struct trial trial;

	trial_make(&trial, row->script);
	trial_send(&trial, row->with, row->recipients);
	g_assert_false(wire_is_idle(trial.wire));
	trial_end(&trial);
	g_assert_cmpstr(trial.outcomes->str, ==, row->outcomes);
	g_assert_cmpstr(trial.host.heard->str, ==, row->heard);
	g_assert_cmpstr(trial.told->str, ==, row->told);
	g_assert_null(trial.again.why);
	if (strstr(row->heard, DOT) != NULL)
		g_assert_cmpstr(trial.host.content->str, ==,
		    row->with & WITH_EIGHT ? "Subject: t\r\n\r\n\303\274\r\n"
					   : "Subject: t\r\n\r\nb\r\n");
	trial_clear(&trial);
}

/* More than go ahead of their replies at once. */
static void
test_many(void)
{
	g_autoptr(GString) script = g_string_new(PIPED "250 o|");

	for (guint i = 0; i < 250; i++)
		g_string_append(script, i == 123 ? NO "|" : "250 o|");
	g_string_append(script, "354 o|250 2.0.0 Ok|221 o");
	for (guint partial = 0; partial < 2; partial++) {
		struct trial trial;
		g_auto(GStrv) outcomes = NULL;

		trial_make(&trial, script->str);
		trial_send(&trial, partial ? WITH_PARTIAL : 0, 250);
		trial_end(&trial);
		outcomes = g_strsplit(trial.outcomes->str, ";", 0);
		g_assert_cmpuint(g_strv_length(outcomes), ==, 250);
		for (guint i = 0; i < 250; i++)
			g_assert_cmpstr(outcomes[i], ==,
			    i == 123      ? NO_R
				: partial ? SENT
					  : HELD);
		g_assert_true(g_str_has_suffix(trial.host.heard->str,
		    partial ? DATA DOT QUIT : RCPT QUIT));
		trial_clear(&trial);
	}
}

/* Another mechanism may do, on another connection. */
static void
test_again(void)
{
	static const char challenge[] = "334 PDEyM0BiLmV4YW1wbGU+|535 5.7.8 ";
	const guint with = WITH_PASSWORD | WITH_IN_CLEAR;
	g_autofree char *both = g_strconcat(AUTH("CRAM-MD5 PLAIN"), challenge,
	    SECRET "|221 o", NULL);
	g_autofree char *one =
	    g_strconcat(AUTH("CRAM-MD5"), challenge, "o|221 o", NULL);
	g_autofree char *later =
	    g_strconcat(AUTH("CRAM-MD5 PLAIN"), "454 4.7.0 o|221 o", NULL);
	struct trial trial;

	trial_make(&trial, both);
	trial_send(&trial, with, 2);
	g_assert_cmpstr(trial.again.why, ==,
	    "535 5.7.8 ******** (in reply to AUTH)");
	g_assert_cmpint(trial.again.stage, ==, STAGE_AUTH);
	g_assert_false(trial.again.late);
	trial_end(&trial);
	g_assert_true(
	    g_str_has_prefix(trial.host.heard->str, "EHLO;AUTH CRAM-MD5;"));
	g_assert_true(g_str_has_suffix(trial.host.heard->str, QUIT));
	trial_clear(&trial);
	/* There is no other, not even where it is to be left out. */
	for (guint i = 0; i < 2; i++) {
		trial_make(&trial, one);
		trial_send(&trial, i == 0 ? with : with | WITHOUT_CRAM_MD5, 1);
		g_assert_cmpstr(trial.outcomes->str, ==,
		    "Nh 535 5.7.8 o (in reply to AUTH)");
		g_assert_null(trial.again.why);
		trial_clear(&trial);
	}
	/* TLS that comes to nothing, and need not be. */
	trial_make(&trial, "220 b|250-b\n250 STARTTLS|220 go!");
	trial_send(&trial, WITH_TLS_MAY, 1);
	g_assert_nonnull(trial.again.why);
	g_assert_cmpint(trial.again.stage, ==, STAGE_TLS);
	g_assert_false(trial.again.late);
	trial_clear(&trial);
	/* Nor is it a matter of passwords. */
	trial_make(&trial, later);
	trial_send(&trial, with, 1);
	g_assert_cmpstr(trial.outcomes->str, ==,
	    "Nh 454 4.7.0 o (in reply to AUTH)");
	g_assert_null(trial.again.why);
	trial_clear(&trial);
}

/* One message after another over one connection. */
static void
test_keep(void)
{
	static const char script[] =
	    "220 b|250-b\n250 8BITMIME|250 o|250 o|354 o|250 2.0.0 one|"
	    "250 o|" NO "|354 o|250 2.0.0 two|"
	    "250 o|250 o|354 o|250 2.0.0 three|221 o";
	struct trial trial;

	trial_make(&trial, script);
	g_assert_cmpuint(wire_sent(trial.wire), ==, 0);
	g_assert_false(wire_is_idle(trial.wire));
	trial_send(&trial, WITH_KEEP, 1);
	g_assert_true(wire_is_idle(trial.wire));
	g_assert_cmpuint(wire_sent(trial.wire), ==, 1);
	trial_send(&trial, WITH_KEEP | WITH_PARTIAL | WITH_EIGHT, 1);
	g_assert_false(wire_is_idle(trial.wire));
	g_assert_cmpuint(wire_sent(trial.wire), ==, 2);
	trial_end(&trial);
	g_assert_cmpstr(trial.outcomes->str, ==, "D- 250 2.0.0 one;" NO_R);
	g_assert_cmpstr(trial.host.heard->str, ==,
	    EHLO MAIL RCPT DATA DOT MAIL " BODY=8BITMIME" RCPT QUIT);
	trial_clear(&trial);

	/* QUIT comes from who leaves it idle. */
	trial_make(&trial,
	    HI "250 o|250 o|354 o|250 o|250 o|250 o|354 o|250 o|221 o");
	trial_send(&trial, WITH_KEEP, 1);
	trial_send(&trial, WITH_KEEP, 1);
	g_assert_true(wire_is_idle(trial.wire));
	trial_end(&trial);
	g_assert_cmpstr(trial.outcomes->str, ==, "D- 250 o;D- 250 o");
	g_assert_cmpstr(trial.host.heard->str, ==,
	    EHLO MAIL RCPT DATA DOT MAIL RCPT DATA DOT QUIT);
	g_assert_cmpstr(trial.told->str, ==, TOLD ";begun;accepted");
	trial_clear(&trial);
}

/* The same, where the whole envelope goes out as one. */
static void
test_keep_volleys(void)
{
	struct trial trial;

	trial_make(&trial,
	    PIPED "250 o|250 o|354 o|250 2.0.0 one|"
		  "250 o|" NO "|503 o|221 o");
	trial_send(&trial, WITH_KEEP | WITH_PARTIAL, 1);
	g_assert_true(wire_is_idle(trial.wire));
	trial_send(&trial, WITH_KEEP | WITH_PARTIAL, 1);
	g_assert_false(wire_is_idle(trial.wire));
	trial_end(&trial);
	g_assert_cmpstr(trial.outcomes->str, ==, "D- 250 2.0.0 one;" NO_R);
	g_assert_cmpstr(trial.host.heard->str, ==,
	    EHLO MAIL RCPT DATA DOT MAIL RCPT DATA QUIT);
	trial_clear(&trial);
}

/* It is not kept where the host has said more, or goes. */
static void
test_not_kept(void)
{
	static const char *const scripts[] = {
	    HI "250 o|250 o|354 o|250 o\n250 o|221 o",
	    HI "250 o|250 o|354 o|250 o\n421 o|221 o",
	};
	struct trial trial;

	for (gsize i = 0; i < G_N_ELEMENTS(scripts); i++) {
		trial_make(&trial, scripts[i]);
		trial_send(&trial, WITH_KEEP, 1);
		g_assert_false(wire_is_idle(trial.wire));
		trial_end(&trial);
		g_assert_cmpstr(trial.outcomes->str, ==, "D- 250 o");
		g_assert_cmpstr(trial.host.heard->str, ==, EHLO ALL);
		trial_clear(&trial);
	}
	trial_make(&trial, HI "250 o|250 o|354 o|250 o!");
	trial_send(&trial, WITH_KEEP, 1);
	scripted_end(&trial.host);
	g_assert_false(wire_is_idle(trial.wire));
	trial_clear(&trial);
}

/* All lines, if somebody wants them, and none of the content or secrets. */
static void
test_transcript(void)
{
	struct trial trial;

	trial_make(&trial, HI OK);
	trial_send(&trial, WITH_TRANSCRIPT, 1);
	trial_end(&trial);
	g_assert_true(g_str_has_prefix(trial.told->str,
	    "< 220 b;greeted;> EHLO me.example;< 250 b;begun;"));
	g_assert_nonnull(strstr(trial.told->str, ";> MAIL FROM:<me@a.exam"));
	g_assert_nonnull(strstr(trial.told->str, ";> DATA;< 354 o;"));
	g_assert_null(strstr(trial.told->str, "Subject"));
	g_assert_nonnull(strstr(trial.told->str, "> QUIT"));
	trial_clear(&trial);
}

/* Nothing was sent. */
static void
test_unused(void)
{
	struct trial trial;

	trial_make(&trial, "220 b");
	trial_end(&trial);
	g_assert_cmpstr(trial.host.heard->str, ==, "");
	trial_clear(&trial);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* As the agent does (guard.c); OpenSSL just writes. */
	signal(SIGPIPE, SIG_IGN);
	TABLE_ADD("wire/session", rows, test_row);
	g_test_add_func("/wire/hundreds of recipients", test_many);
	g_test_add_func("/wire/what may be tried again", test_again);
	g_test_add_func("/wire/several messages", test_keep);
	g_test_add_func("/wire/several volleys", test_keep_volleys);
	g_test_add_func("/wire/a connection that is not kept", test_not_kept);
	g_test_add_func("/wire/a transcript", test_transcript);
	g_test_add_func("/wire/nothing", test_unused);
	return g_test_run();
}
