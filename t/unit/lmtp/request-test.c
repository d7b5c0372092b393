/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <glib.h>

#include "lmtp/request.h"
#include "unit/table.h"

static const struct {
	const char *says;
	const char *line;
	enum lmtp_verb verb;
	const char *path;
	const char *dsn;
	gboolean smtputf8;
	gboolean success;
	const char *ident;
} taken[] = {
    {"LHLO with a name", "LHLO gw.example", LMTP_LHLO, NULL, NULL, FALSE, FALSE,
	NULL},
    {"verbs in any case", "lhlo gw.example", LMTP_LHLO, NULL, NULL, FALSE,
	FALSE, NULL},
    {"DATA with blanks behind it", "DATA  ", LMTP_DATA, NULL, NULL, FALSE,
	FALSE, NULL},
    {"RSET", "RSET", LMTP_RSET, NULL, NULL, FALSE, FALSE, NULL},
    {"NOOP with anything", "NOOP a b", LMTP_NOOP, NULL, NULL, FALSE, FALSE,
	NULL},
    {"VRFY with a name", "VRFY postmaster", LMTP_VRFY, NULL, NULL, FALSE, FALSE,
	NULL},
    {"QUIT", "quit", LMTP_QUIT, NULL, NULL, FALSE, FALSE, NULL},

    {"MAIL with a path", "MAIL FROM:<a@example.org>", LMTP_MAIL,
	"a@example.org", NULL, FALSE, FALSE, NULL},
    {"MAIL with the null sender", "MAIL FROM:<>", LMTP_MAIL, "", NULL, FALSE,
	FALSE, NULL},
    {"blanks around FROM:", "mail  from: <a@example.org> ", LMTP_MAIL,
	"a@example.org", NULL, FALSE, FALSE, NULL},
    {"a '>' in a quoted local part", "MAIL FROM:<\"a>b\"@example.org>",
	LMTP_MAIL, "\"a>b\"@example.org", NULL, FALSE, FALSE, NULL},
    {"a quoted quotation mark", "MAIL FROM:<\"a\\\">b\"@example.org>",
	LMTP_MAIL, "\"a\\\">b\"@example.org", NULL, FALSE, FALSE, NULL},
    {"a source route is dropped", "RCPT TO:<@a.example,@b.example:u@c.example>",
	LMTP_RCPT, "u@c.example", NULL, FALSE, FALSE, NULL},
    {"SIZE and BODY are looked at, and dropped",
	"MAIL FROM:<a@example.org> SIZE=4711 BODY=8BITMIME", LMTP_MAIL,
	"a@example.org", NULL, FALSE, FALSE, NULL},
    {"SMTPUTF8", "MAIL FROM:<a@example.org> smtputf8", LMTP_MAIL,
	"a@example.org", NULL, TRUE, FALSE, NULL},
    {"RET and ENVID stay as they are",
	"MAIL FROM:<a@example.org> RET=hdrs SIZE=1 ENVID=Q+2BQ", LMTP_MAIL,
	"a@example.org", " RET=hdrs ENVID=Q+2BQ", FALSE, FALSE, NULL},
    {"NOTIFY=NEVER", "RCPT TO:<u@example.com> NOTIFY=NEVER", LMTP_RCPT,
	"u@example.com", " NOTIFY=NEVER", FALSE, FALSE, NULL},
    {"NOTIFY with SUCCESS", "RCPT TO:<u@example.com> NOTIFY=DELAY,success",
	LMTP_RCPT, "u@example.com", " NOTIFY=DELAY,success", FALSE, TRUE, NULL},
    {"ORCPT", "RCPT TO:<u@example.com> ORCPT=rfc822;a+40example.com", LMTP_RCPT,
	"u@example.com", " ORCPT=rfc822;a+40example.com", FALSE, FALSE, NULL},
    {"ORCPT in UTF-8",
	"RCPT TO:<u@example.com> ORCPT=utf-8;\303\274@example.com", LMTP_RCPT,
	"u@example.com", " ORCPT=utf-8;\303\274@example.com", FALSE, FALSE,
	NULL},

    {"XFORWARD IDENT is decoded", "XFORWARD NAME=[UNAVAILABLE] IDENT=4F+2B1B",
	LMTP_XFORWARD, NULL, NULL, FALSE, FALSE, "4F+1B"},
    {"XFORWARD without IDENT", "XFORWARD ADDR=192.0.2.1 SOURCE=LOCAL",
	LMTP_XFORWARD, NULL, NULL, FALSE, FALSE, NULL},
};

static void
test_taken(gconstpointer data)
{
	const __typeof__(taken[0]) *row = data;
	struct lmtp_request request;
	struct lmtp_refusal refusal = {0};

	g_assert_true(lmtp_request_parse(&request, row->line, &refusal));
	g_assert_cmpint(request.verb, ==, row->verb);
	g_assert_cmpstr(request.path, ==, row->path);
	g_assert_cmpstr(request.dsn, ==, row->dsn);
	g_assert_cmpint(request.smtputf8, ==, row->smtputf8);
	g_assert_cmpint(request.success, ==, row->success);
	g_assert_cmpstr(request.ident, ==, row->ident);
	lmtp_request_clear(&request);
}

static const struct {
	const char *says;
	const char *line;
	int code;
	const char *text;
} refused[] = {
    {"an empty line", "", 500, "5.5.2 unknown command"},
    {"an unknown command", "BDAT 5 LAST", 500, "5.5.2 unknown command"},
    {"a control character", "NOOP \001", 500,
	"5.5.2 control character in a command"},
    {"a bare CR within a command", "RCPT TO:<a\rb@example.com>", 500,
	"5.5.2 control character in a command"},
    {"a tab for a blank", "MAIL\tFROM:<>", 500,
	"5.5.2 control character in a command"},
    {"HELO", "HELO gw.example", 500, "5.5.1 this is LMTP: say LHLO"},
    {"EHLO", "EHLO gw.example", 500, "5.5.1 this is LMTP: say LHLO"},
    {"LHLO without a name", "LHLO ", 501, "5.5.4 expected an argument"},
    {"DATA with an argument", "DATA now", 501, "5.5.4 expected no argument"},
    {"MAIL without FROM:", "MAIL <a@example.org>", 501,
	"5.5.4 expected FROM:<> or TO:<>"},
    {"MAIL with TO:", "MAIL TO:<a@example.org>", 501,
	"5.5.4 expected FROM:<> or TO:<>"},
    {"a path without brackets", "RCPT TO:u@example.com", 501,
	"5.1.3 expected an address in <>"},
    {"a path without its end", "RCPT TO:<u@example.com", 501,
	"5.1.3 expected an address in <>"},
    {"an open quotation mark", "RCPT TO:<\"u@example.com>", 501,
	"5.1.3 expected an address in <>"},
    {"something behind the path", "RCPT TO:<u@example.com>x", 501,
	"5.1.3 expected an address in <>"},
    {"an unknown parameter", "MAIL FROM:<> AUTH=<>", 555,
	"5.5.4 unknown parameter"},
    {"a parameter of MAIL at RCPT", "RCPT TO:<u@example.com> SIZE=1", 555,
	"5.5.4 unknown parameter"},
    {"a parameter twice", "MAIL FROM:<> SIZE=1 SIZE=1", 501,
	"5.5.4 bad parameter"},
    {"SIZE that is no number", "MAIL FROM:<> SIZE=1k", 501,
	"5.5.4 bad parameter"},
    {"SIZE of nothing", "MAIL FROM:<> SIZE=", 501, "5.5.4 bad parameter"},
    {"BODY=BINARYMIME", "MAIL FROM:<> BODY=BINARYMIME", 501,
	"5.5.4 bad parameter"},
    {"SMTPUTF8 with a value", "MAIL FROM:<> SMTPUTF8=yes", 501,
	"5.5.4 bad parameter"},
    {"RET of something else", "MAIL FROM:<> RET=SOME", 501,
	"5.5.4 bad parameter"},
    {"ENVID that is no xtext", "MAIL FROM:<> ENVID=a+4", 501,
	"5.5.4 bad parameter"},
    {"xtext in lower case", "MAIL FROM:<> ENVID=a+4a", 501,
	"5.5.4 bad parameter"},
    {"ENVID without a value", "MAIL FROM:<> ENVID", 501, "5.5.4 bad parameter"},
    {"NEVER with others", "RCPT TO:<u@example.com> NOTIFY=NEVER,DELAY", 501,
	"5.5.4 bad parameter"},
    {"NOTIFY of nothing", "RCPT TO:<u@example.com> NOTIFY=", 501,
	"5.5.4 bad parameter"},
    {"ORCPT without a type", "RCPT TO:<u@example.com> ORCPT=u@example.com", 501,
	"5.5.4 bad parameter"},
    {"ORCPT in UTF-8 that says rfc822",
	"RCPT TO:<u@example.com> ORCPT=rfc822;\303\274@example.com", 501,
	"5.5.4 bad parameter"},
    {"ORCPT that is not UTF-8",
	"RCPT TO:<u@example.com> ORCPT=utf-8;\374@example.com", 501,
	"5.5.4 bad parameter"},
    {"an unknown attribute of XFORWARD", "XFORWARD COLOUR=red", 555,
	"5.5.4 unknown parameter"},
};

static void
test_refused(gconstpointer data)
{
	const __typeof__(refused[0]) *row = data;
	struct lmtp_request request;
	struct lmtp_refusal refusal = {0};

	g_assert_false(lmtp_request_parse(&request, row->line, &refusal));
	g_assert_cmpint(refusal.code, ==, row->code);
	g_assert_cmpstr(refusal.text, ==, row->text);
	lmtp_request_clear(&request);
}

/* A value as long as may be, and one octet longer. */
static void
test_long(void)
{
	for (gsize i = 0; i < 2; i++) {
		g_autofree char *value = g_strnfill(1500 - 6 + i, 'x');
		g_autofree char *line =
		    g_strdup_printf("MAIL FROM:<> ENVID=%s", value);
		struct lmtp_request request;
		struct lmtp_refusal refusal = {0};

		g_assert_cmpint(lmtp_request_parse(&request, line, &refusal),
		    ==, i == 0);
		lmtp_request_clear(&request);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("request/taken", taken, test_taken);
	TABLE_ADD("request/refused", refused, test_refused);
	g_test_add_func("/request/long", test_long);
	return g_test_run();
}
