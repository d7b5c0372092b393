/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "smtp/outcome.h"
#include "unit/replytext.h"
#include "unit/table.h"

/* Replies that end a transaction: "what each reply means", cell by cell. */
static const struct answer {
	const char *says;
	enum stage stage;
	const char *reply;
	guint recipients;
	enum outcome_kind kind;
	enum trouble trouble;
	const char *dsn;
	const char *text;
} answers[] = {
    {"a greeting with 4xx", STAGE_GREETING, "450 4.3.2 busy", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.3.2", "450 4.3.2 busy (in greeting)"},
    {"a greeting with 421", STAGE_GREETING, "421 closing", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.0.0", "421 closing (in greeting)"},
    {"a greeting with 5xx bounces nothing", STAGE_GREETING, "554 5.7.1 no", 1,
	OUTCOME_NEXT, TROUBLE_HOST, "4.7.1", "554 5.7.1 no (in greeting)"},
    {"a greeting that is another reply", STAGE_GREETING, "250 hello", 1,
	OUTCOME_NEXT, TROUBLE_HOST, "4.4.2",
	"greeting: unexpected reply: 250 hello"},
    {"a greeting with 3xx", STAGE_GREETING, "354 go", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.4.2", "greeting: unexpected reply: 354 go"},

    {"EHLO with 4xx", STAGE_EHLO, "451 4.3.0 later", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.3.0", "451 4.3.0 later (in reply to EHLO)"},
    {"EHLO with 5xx bounces nothing", STAGE_EHLO, "550 5.7.1 no", 1,
	OUTCOME_NEXT, TROUBLE_HOST, "4.7.1", "550 5.7.1 no (in reply to EHLO)"},
    {"EHLO with 421", STAGE_EHLO, "421 4.3.2 closing", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.3.2", "421 4.3.2 closing (in reply to EHLO)"},
    {"EHLO with a second greeting", STAGE_EHLO, "220 mx1", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.4.2", "EHLO: unexpected reply: 220 mx1"},
    {"HELO with 4xx", STAGE_HELO, "450 later", 1, OUTCOME_NEXT, TROUBLE_HOST,
	"4.0.0", "450 later (in reply to HELO)"},
    {"HELO with 5xx bounces nothing", STAGE_HELO, "502 5.5.1 no", 1,
	OUTCOME_NEXT, TROUBLE_HOST, "4.5.1", "502 5.5.1 no (in reply to HELO)"},
    {"HELO with another reply", STAGE_HELO, "221 bye", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.4.2", "HELO: unexpected reply: 221 bye"},

    {"MAIL with 4xx is the message's trouble", STAGE_MAIL, "451 4.7.1 later", 1,
	OUTCOME_NEXT, TROUBLE_MESSAGE, "4.7.1",
	"451 4.7.1 later (in reply to MAIL FROM)"},
    {"MAIL with 4xx without an enhanced code", STAGE_MAIL, "452 full", 1,
	OUTCOME_NEXT, TROUBLE_MESSAGE, "4.0.0",
	"452 full (in reply to MAIL FROM)"},
    {"MAIL with 4.3.x is the host's trouble", STAGE_MAIL, "452 4.3.1 full", 1,
	OUTCOME_NEXT, TROUBLE_HOST, "4.3.1",
	"452 4.3.1 full (in reply to MAIL FROM)"},
    {"MAIL with 4.30.x is not 4.3.x", STAGE_MAIL, "452 4.30.1 a", 1,
	OUTCOME_NEXT, TROUBLE_MESSAGE, "4.30.1",
	"452 4.30.1 a (in reply to MAIL FROM)"},
    {"MAIL with 421 may be the sender's", STAGE_MAIL, "421 4.7.0 closing", 1,
	OUTCOME_NEXT, TROUBLE_SUSPECT, "4.7.0",
	"421 4.7.0 closing (in reply to MAIL FROM)"},
    {"MAIL with 5xx bounces", STAGE_MAIL, "553 5.1.8 bad sender", 1,
	OUTCOME_BOUNCE, TROUBLE_MESSAGE, "5.1.8",
	"553 5.1.8 bad sender (in reply to MAIL FROM)"},
    {"MAIL with 5.3.x bounces, too", STAGE_MAIL, "552 5.3.4 too big", 1,
	OUTCOME_BOUNCE, TROUBLE_MESSAGE, "5.3.4",
	"552 5.3.4 too big (in reply to MAIL FROM)"},
    {"MAIL with 552 and several recipients bounces", STAGE_MAIL, "552 too big",
	3, OUTCOME_BOUNCE, TROUBLE_MESSAGE, "5.0.0",
	"552 too big (in reply to MAIL FROM)"},
    {"STARTTLS with 454 is TLS that is not to be had", STAGE_STARTTLS,
	"454 4.7.0 no key", 1, OUTCOME_NEXT, TROUBLE_HOST, "4.7.4",
	"454 4.7.0 no key (in reply to STARTTLS)"},
    {"STARTTLS with 5xx never bounces", STAGE_STARTTLS, "554 5.7.1 no", 1,
	OUTCOME_NEXT, TROUBLE_HOST, "4.7.4",
	"554 5.7.1 no (in reply to STARTTLS)"},
    {"STARTTLS with 421 has a code of its own", STAGE_STARTTLS,
	"421 4.3.2 closing", 1, OUTCOME_NEXT, TROUBLE_HOST, "4.3.2",
	"421 4.3.2 closing (in reply to STARTTLS)"},
    {"STARTTLS with MAIL's reply", STAGE_STARTTLS, "250 ok", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.4.2", "STARTTLS: unexpected reply: 250 ok"},
    {"AUTH with 5xx never bounces", STAGE_AUTH, "535 5.7.8 who", 1,
	OUTCOME_NEXT, TROUBLE_HOST, "4.7.8",
	"535 5.7.8 who (in reply to AUTH)"},
    {"AUTH with 4xx is the host's trouble, too", STAGE_AUTH,
	"454 4.7.0 try later", 1, OUTCOME_NEXT, TROUBLE_HOST, "4.7.8",
	"454 4.7.0 try later (in reply to AUTH)"},
    {"AUTH with 421 has a code of its own", STAGE_AUTH, "421 4.3.2 closing", 1,
	OUTCOME_NEXT, TROUBLE_HOST, "4.3.2",
	"421 4.3.2 closing (in reply to AUTH)"},
    {"AUTH with MAIL's reply", STAGE_AUTH, "250 ok", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.4.2", "AUTH: unexpected reply: 250 ok"},
    {"MAIL with 530 is a refused AUTH", STAGE_MAIL, "530 5.7.0 log in", 1,
	OUTCOME_NEXT, TROUBLE_HOST, "4.7.8",
	"530 5.7.0 log in (in reply to MAIL FROM)"},
    {"MAIL with 530 for want of TLS", STAGE_MAIL,
	"530 5.7.0 Must issue a STARTTLS command first", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.7.4",
	"530 5.7.0 Must issue a STARTTLS command first "
	"(in reply to MAIL FROM)"},
    {"the same in small letters", STAGE_MAIL, "530 use starttls", 1,
	OUTCOME_NEXT, TROUBLE_HOST, "4.7.4",
	"530 use starttls (in reply to MAIL FROM)"},
    {"the same by its code", STAGE_MAIL, "530 5.7.10 in clear", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.7.4", "530 5.7.10 in clear (in reply to MAIL FROM)"},
    {"MAIL with 534 is no reply of AUTH", STAGE_MAIL,
	"534 SIZE=Message too big.", 1, OUTCOME_BOUNCE, TROUBLE_MESSAGE,
	"5.0.0", "534 SIZE=Message too big. (in reply to MAIL FROM)"},
    {"MAIL with 535 is a refused AUTH", STAGE_MAIL, "535 who", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.7.8", "535 who (in reply to MAIL FROM)"},
    {"MAIL with 538 is no reply of AUTH", STAGE_MAIL, "538 5.7.11 in clear", 1,
	OUTCOME_BOUNCE, TROUBLE_MESSAGE, "5.7.11",
	"538 5.7.11 in clear (in reply to MAIL FROM)"},
    {"AUTH with 534 is", STAGE_AUTH, "534 5.7.9 weak", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.7.8", "534 5.7.9 weak (in reply to AUTH)"},
    {"MAIL with DATA's reply", STAGE_MAIL, "354 go", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.4.2", "MAIL FROM: unexpected reply: 354 go"},
    {"MAIL with a second greeting", STAGE_MAIL, "220 mx1", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.4.2", "MAIL FROM: unexpected reply: 220 mx1"},

    {"RCPT with 4xx is the recipient's trouble", STAGE_RCPT,
	"450 4.2.1 greylisted", 1, OUTCOME_NEXT, TROUBLE_RECIPIENT, "4.2.1",
	"450 4.2.1 greylisted (in reply to RCPT TO)"},
    {"RCPT with 4.3.x is the recipient's trouble, too", STAGE_RCPT,
	"452 4.3.1 full", 1, OUTCOME_NEXT, TROUBLE_RECIPIENT, "4.3.1",
	"452 4.3.1 full (in reply to RCPT TO)"},
    {"MAIL with 421 4.3.z is the host's trouble", STAGE_MAIL,
	"421 4.3.2 closing", 1, OUTCOME_NEXT, TROUBLE_HOST, "4.3.2",
	"421 4.3.2 closing (in reply to MAIL FROM)"},
    {"so is RCPT with it", STAGE_RCPT, "421 4.3.2 closing", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.3.2", "421 4.3.2 closing (in reply to RCPT TO)"},
    {"RCPT with 421 may be the sender's", STAGE_RCPT, "421 closing", 1,
	OUTCOME_NEXT, TROUBLE_SUSPECT, "4.0.0",
	"421 closing (in reply to RCPT TO)"},
    {"RCPT with 5xx bounces", STAGE_RCPT, "550 5.1.1 no such user", 1,
	OUTCOME_BOUNCE, TROUBLE_RECIPIENT, "5.1.1",
	"550 5.1.1 no such user (in reply to RCPT TO)"},
    {"RCPT with 5xx bounces one of several", STAGE_RCPT, "550 no", 3,
	OUTCOME_BOUNCE, TROUBLE_RECIPIENT, "5.0.0",
	"550 no (in reply to RCPT TO)"},
    {"MAIL with 550 that speaks of STARTTLS", STAGE_MAIL,
	"550 5.7.1 no STARTTLS here", 1, OUTCOME_BOUNCE, TROUBLE_MESSAGE,
	"5.7.1", "550 5.7.1 no STARTTLS here (in reply to MAIL FROM)"},
    {"RCPT with 530 bounces: MAIL was accepted", STAGE_RCPT, "530 5.7.1 no", 1,
	OUTCOME_BOUNCE, TROUBLE_RECIPIENT, "5.7.1",
	"530 5.7.1 no (in reply to RCPT TO)"},
    {"RCPT with 452 is too many of several", STAGE_RCPT, "452 4.5.3 too many",
	3, OUTCOME_NEXT, TROUBLE_RECIPIENT, "4.5.3",
	"452 4.5.3 too many (in reply to RCPT TO)"},
    {"RCPT with 552 is too many of several", STAGE_RCPT, "552 5.5.3 too many",
	3, OUTCOME_NEXT, TROUBLE_RECIPIENT, "4.5.3",
	"552 5.5.3 too many (in reply to RCPT TO)"},
    {"RCPT with 552 without a code is too many", STAGE_RCPT, "552 no more", 3,
	OUTCOME_NEXT, TROUBLE_RECIPIENT, "4.0.0",
	"552 no more (in reply to RCPT TO)"},
    {"RCPT with 552 that means something else", STAGE_RCPT,
	"552 5.2.2 over quota", 3, OUTCOME_BOUNCE, TROUBLE_RECIPIENT, "5.2.2",
	"552 5.2.2 over quota (in reply to RCPT TO)"},
    {"RCPT with 552 without a code bounces the only one", STAGE_RCPT,
	"552 no more", 1, OUTCOME_BOUNCE, TROUBLE_RECIPIENT, "5.0.0",
	"552 no more (in reply to RCPT TO)"},
    {"RCPT with 552 bounces the only one", STAGE_RCPT, "552 5.2.2 over quota",
	1, OUTCOME_BOUNCE, TROUBLE_RECIPIENT, "5.2.2",
	"552 5.2.2 over quota (in reply to RCPT TO)"},
    {"RCPT with DATA's reply", STAGE_RCPT, "354 go", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.4.2", "RCPT TO: unexpected reply: 354 go"},
    {"RCPT with QUIT's reply", STAGE_RCPT, "221 2.0.0 bye", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.4.2", "RCPT TO: unexpected reply: 221 2.0.0 bye"},

    {"DATA with 4xx is the message's trouble", STAGE_DATA, "451 4.3.0 later", 1,
	OUTCOME_NEXT, TROUBLE_MESSAGE, "4.3.0",
	"451 4.3.0 later (in reply to DATA)"},
    {"DATA with 421 may be the sender's", STAGE_DATA, "421 closing", 1,
	OUTCOME_NEXT, TROUBLE_SUSPECT, "4.0.0",
	"421 closing (in reply to DATA)"},
    {"DATA with 5xx bounces", STAGE_DATA, "554 5.5.1 no", 1, OUTCOME_BOUNCE,
	TROUBLE_MESSAGE, "5.5.1", "554 5.5.1 no (in reply to DATA)"},
    {"DATA with RCPT's reply", STAGE_DATA, "250 2.1.5 Ok", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.4.2", "DATA: unexpected reply: 250 2.1.5 Ok"},

    {"4xx amid the content", STAGE_CONTENT, "452 4.3.1 full", 1, OUTCOME_NEXT,
	TROUBLE_MESSAGE, "4.3.1",
	"452 4.3.1 full (in reply to message content)"},
    {"421 amid the content may be the sender's", STAGE_CONTENT,
	"421 4.4.2 slow", 1, OUTCOME_NEXT, TROUBLE_SUSPECT, "4.4.2",
	"421 4.4.2 slow (in reply to message content)"},
    {"5xx amid the content bounces", STAGE_CONTENT, "554 5.6.0 no", 1,
	OUTCOME_BOUNCE, TROUBLE_MESSAGE, "5.6.0",
	"554 5.6.0 no (in reply to message content)"},
    {"250 amid the content delivers nothing", STAGE_CONTENT, "250 Ok", 1,
	OUTCOME_NEXT, TROUBLE_HOST, "4.4.2",
	"message content: unexpected reply: 250 Ok"},
    {"354 amid the content", STAGE_CONTENT, "354 go", 1, OUTCOME_NEXT,
	TROUBLE_HOST, "4.4.2", "message content: unexpected reply: 354 go"},

    {"250 after the final dot delivers", STAGE_FINAL, "250 2.0.0 Ok: queued", 1,
	OUTCOME_DELIVERED, TROUBLE_NONE, "2.0.0", "250 2.0.0 Ok: queued"},
    {"a code alone after the final dot delivers", STAGE_FINAL, "250", 1,
	OUTCOME_DELIVERED, TROUBLE_NONE, "2.0.0", "250"},
    {"4xx after the final dot is the message's trouble", STAGE_FINAL,
	"451 4.3.0 later", 1, OUTCOME_NEXT, TROUBLE_MESSAGE, "4.3.0",
	"451 4.3.0 later (in reply to end of DATA)"},
    {"421 after the final dot may be the sender's", STAGE_FINAL, "421 closing",
	1, OUTCOME_NEXT, TROUBLE_SUSPECT, "4.0.0",
	"421 closing (in reply to end of DATA)"},
    {"5xx after the final dot bounces", STAGE_FINAL, "554 5.7.1 spam", 1,
	OUTCOME_BOUNCE, TROUBLE_MESSAGE, "5.7.1",
	"554 5.7.1 spam (in reply to end of DATA)"},
    {"552 after the final dot bounces", STAGE_FINAL, "552 5.3.4 too big", 3,
	OUTCOME_BOUNCE, TROUBLE_MESSAGE, "5.3.4",
	"552 5.3.4 too big (in reply to end of DATA)"},
    {"a second 354 after the final dot is unsure", STAGE_FINAL, "354 go", 1,
	OUTCOME_UNSURE, TROUBLE_HOST, "4.4.2",
	"end of DATA: unexpected reply: 354 go"},
    {"200 after the final dot delivers", STAGE_FINAL, "200 2.0.0 taken", 1,
	OUTCOME_DELIVERED, TROUBLE_NONE, "2.0.0", "200 2.0.0 taken"},
    {"221 after the final dot delivers", STAGE_FINAL, "221 bye", 1,
	OUTCOME_DELIVERED, TROUBLE_NONE, "2.0.0", "221 bye"},

    {"an enhanced code of class 2 in a 5xx is not believed", STAGE_RCPT,
	"550 2.1.5 no", 1, OUTCOME_BOUNCE, TROUBLE_RECIPIENT, "5.0.0",
	"550 2.1.5 no (in reply to RCPT TO)"},
    {"an enhanced code of class 5 in a 4xx is not believed", STAGE_RCPT,
	"450 5.1.1 later", 1, OUTCOME_NEXT, TROUBLE_RECIPIENT, "4.0.0",
	"450 5.1.1 later (in reply to RCPT TO)"},
    {"an enhanced code of class 5 in a 250 is not believed", STAGE_FINAL,
	"250 5.0.0 Ok", 1, OUTCOME_DELIVERED, TROUBLE_NONE, "2.0.0",
	"250 5.0.0 Ok"},
    {"unprintable bytes", STAGE_RCPT, "550 a\033[1mb\377\tc\rd", 1,
	OUTCOME_BOUNCE, TROUBLE_RECIPIENT, "5.0.0",
	"550 a?[1mb? c d (in reply to RCPT TO)"},
};

/* No reply, or nothing that is one. */
static const struct failure {
	const char *says;
	enum stage stage;
	enum outcome_kind kind;
	const char *dsn;
	const char *text;
} failures[] = {
    {"no connection", STAGE_CONNECT, OUTCOME_NEXT, "4.4.1", "connect: why"},
    {"no greeting", STAGE_GREETING, OUTCOME_NEXT, "4.4.2", "greeting: why"},
    {"no reply to EHLO", STAGE_EHLO, OUTCOME_NEXT, "4.4.2", "EHLO: why"},
    {"no reply to HELO", STAGE_HELO, OUTCOME_NEXT, "4.4.2", "HELO: why"},
    {"no reply to MAIL", STAGE_MAIL, OUTCOME_NEXT, "4.4.2", "MAIL FROM: why"},
    {"no reply to RCPT", STAGE_RCPT, OUTCOME_NEXT, "4.4.2", "RCPT TO: why"},
    {"no reply to DATA", STAGE_DATA, OUTCOME_NEXT, "4.4.2", "DATA: why"},
    {"lost amid the content", STAGE_CONTENT, OUTCOME_NEXT, "4.4.2",
	"message content: why"},
    {"lost after the final dot", STAGE_FINAL, OUTCOME_UNSURE, "4.4.2",
	"end of DATA: why"},
};

static void
test_answer(gconstpointer data)
{
	const struct answer *row = data;
	g_autoptr(Reply) reply = replytext_parse(row->reply);
	struct outcome outcome = {0};

	outcome_from_reply(&outcome, row->stage, reply, row->recipients);
	g_assert_cmpint(outcome.kind, ==, row->kind);
	g_assert_cmpint(outcome.trouble, ==, row->trouble);
	g_assert_cmpint(outcome.stage, ==, row->stage);
	g_assert_cmpstr(outcome.dsn, ==, row->dsn);
	g_assert_cmpstr(outcome.text, ==, row->text);
	/* What does not fit its command is nobody's reply. */
	if (strstr(row->text, "unexpected reply") != NULL) {
		g_assert_cmpint(outcome.code, ==, 0);
		g_assert_null(outcome.reply);
	} else {
		g_assert_cmpint(outcome.code, ==, reply->code);
		g_assert_nonnull(strstr(row->text, outcome.reply));
	}
	outcome_clear(&outcome);
}

static void
test_failure(gconstpointer data)
{
	const struct failure *row = data;
	struct outcome outcome = {0};

	outcome_from_failure(&outcome, row->stage, "why");
	g_assert_cmpint(outcome.kind, ==, row->kind);
	g_assert_cmpint(outcome.trouble, ==, TROUBLE_HOST);
	g_assert_cmpint(outcome.stage, ==, row->stage);
	g_assert_cmpint(outcome.code, ==, 0);
	g_assert_cmpstr(outcome.dsn, ==, row->dsn);
	g_assert_cmpstr(outcome.text, ==, row->text);
	g_assert_null(outcome.reply);
	outcome_clear(&outcome);
}

/* Many hosts may have to fit into one line. */
static void
test_long_text(void)
{
	g_autofree char *fill = g_strnfill(REPLY_MAX - 100, 'x');
	g_autofree char *line = g_strdup_printf("550 5.1.1 %s", fill);
	g_autoptr(Reply) reply = replytext_parse(line);
	struct outcome outcome = {0};

	outcome_from_reply(&outcome, STAGE_RCPT, reply, 1);
	g_assert_cmpuint(strlen(outcome.text), <, 400);
	g_assert_true(g_str_has_prefix(outcome.text, "550 5.1.1 xxx"));
	g_assert_true(
	    g_str_has_suffix(outcome.text, "xxx... (in reply to RCPT TO)"));
	outcome_from_failure(&outcome, STAGE_FINAL, line);
	g_assert_cmpuint(strlen(outcome.text), <, 400);
	outcome_clear(&outcome);
}

static void
test_set_and_copy(void)
{
	g_autoptr(Reply) reply = replytext_parse("550 5.1.1 no");
	struct outcome from = {0};
	struct outcome to = {0};

	g_assert_cmpint(from.kind, ==, OUTCOME_NEXT);
	outcome_from_failure(&to, STAGE_CONNECT, "overwritten");
	outcome_from_reply(&from, STAGE_RCPT, reply, 1);
	outcome_copy(&to, &from);
	outcome_set(&from, OUTCOME_HELD, TROUBLE_NONE, STAGE_RCPT, "4.3.0",
	    "not\r\nsent");
	g_assert_cmpint(from.kind, ==, OUTCOME_HELD);
	g_assert_cmpint(from.code, ==, 0);
	g_assert_cmpstr(from.dsn, ==, "4.3.0");
	g_assert_cmpstr(from.text, ==, "not sent");
	g_assert_null(from.reply);
	outcome_clear(&from);
	g_assert_cmpint(to.kind, ==, OUTCOME_BOUNCE);
	g_assert_cmpint(to.trouble, ==, TROUBLE_RECIPIENT);
	g_assert_cmpint(to.code, ==, 550);
	g_assert_cmpstr(to.dsn, ==, "5.1.1");
	g_assert_cmpstr(to.reply, ==, "5.1.1 no");
	g_assert_cmpstr(to.text, ==, "550 5.1.1 no (in reply to RCPT TO)");
	outcome_clear(&to);
	g_assert_null(to.text);
}

/* Another transaction may do for that recipient, the same host. */
static const struct too_many {
	const char *says;
	enum stage stage;
	const char *reply;
	gboolean too_many;
} too_many[] = {
    {"452 at RCPT", STAGE_RCPT, "452 4.5.3 no", TRUE},
    {"552 at RCPT, as it was", STAGE_RCPT, "552 no", TRUE},
    {"552 with its code", STAGE_RCPT, "552 5.5.3 no", TRUE},
    {"552 with another code", STAGE_RCPT, "552 5.2.2 no", FALSE},
    {"450 at RCPT", STAGE_RCPT, "450 4.5.3 no", FALSE},
    {"550 at RCPT", STAGE_RCPT, "550 no", FALSE},
    {"452 at MAIL", STAGE_MAIL, "452 4.5.3 no", FALSE},
    {"452 at DATA", STAGE_DATA, "452 4.5.3 no", FALSE},
};

static void
test_too_many(gconstpointer data)
{
	const struct too_many *row = data;
	g_autoptr(Reply) reply = replytext_parse(row->reply);
	struct outcome outcome = {0};

	outcome_from_reply(&outcome, row->stage, reply, 2);
	g_assert_cmpint(outcome_is_too_many(&outcome), ==, row->too_many);
	outcome_clear(&outcome);
}

static void
test_move_and_forgive(void)
{
	g_autoptr(Reply) reply = replytext_parse("550 5.1.1 no");
	struct outcome from = {0};
	struct outcome to = {0};

	outcome_from_failure(&to, STAGE_CONNECT, "overwritten");
	outcome_from_reply(&from, STAGE_RCPT, reply, 1);
	outcome_move(&from, &from);
	g_assert_cmpint(from.code, ==, 550);
	outcome_move(&to, &from);
	g_assert_cmpint(from.code, ==, 0);
	g_assert_null(from.text);
	g_assert_null(from.reply);
	g_assert_cmpint(to.kind, ==, OUTCOME_BOUNCE);
	g_assert_cmpstr(to.reply, ==, "5.1.1 no");
	outcome_forgive(&to);
	g_assert_cmpint(to.kind, ==, OUTCOME_NEXT);
	g_assert_cmpstr(to.dsn, ==, "4.1.1");
	outcome_clear(&to);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("reply", answers, test_answer);
	TABLE_ADD("failure", failures, test_failure);
	g_test_add_func("/a long text is cut", test_long_text);
	g_test_add_func("/outcomes are set and copied", test_set_and_copy);
	g_test_add_func("/outcomes are moved and forgiven",
	    test_move_and_forgive);
	TABLE_ADD("too many", too_many, test_too_many);
	return g_test_run();
}
