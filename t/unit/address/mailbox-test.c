/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "address/mailbox.h"
#include "unit/table.h"
#include "unit/watched.h"

#define RANDOM_ROUNDS 100000

#define A10  "aaaaaaaaaa"
#define A100 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10
#define A300 A100 A100 A100
#define A888 A300 A300 A100 A100 A10 A10 A10 A10 A10 A10 A10 A10 "aaaaaaaa"

#define DOMAIN_CHARACTER                                                       \
	"domain: character other than letters, digits, '-' and '_'"

static const struct accepted {
	const char *says;
	const char *text;
	const char *path;
	const char *domain;
} accepted[] = {
    {"a plain address", "user@example.com", "user@example.com", "example.com"},
    {"a dot-string with every mark", "a.!#$%&'*+-/=?^_`{|}~@example.com",
	"a.!#$%&'*+-/=?^_`{|}~@example.com", "example.com"},
    {"capitals are kept in the path", "User@Example.COM", "User@Example.COM",
	"example.com"},
    {"a hyphen at the beginning", "-f@example.com", "-f@example.com",
	"example.com"},
    {"a domain of one label", "user@ex1", "user@ex1", "ex1"},
    {"a dot after the domain", "user@Example.com.", "user@Example.com",
	"example.com"},
    {"a blank", "a b@example.com", "\"a b\"@example.com", "example.com"},
    {"a blank alone", " @example.com", "\" \"@example.com", "example.com"},
    {"a quote", "a\"b@example.com", "\"a\\\"b\"@example.com", "example.com"},
    {"a backslash", "a\\b@example.com", "\"a\\\\b\"@example.com",
	"example.com"},
    {"angle brackets", "a><b@example.com", "\"a><b\"@example.com",
	"example.com"},
    {"a parameter", "a> SIZE=1 <b@example.com", "\"a> SIZE=1 <b\"@example.com",
	"example.com"},
    {"a comma, a colon and parentheses", "a,b:(c)@example.com",
	"\"a,b:(c)\"@example.com", "example.com"},
    {"an at sign", "a@b@example.com", "\"a@b\"@example.com", "example.com"},
    {"a source route", "@a.example,@b.example:user@example.com",
	"\"@a.example,@b.example:user\"@example.com", "example.com"},
    {"a dot at the beginning", ".a@example.com", "\".a\"@example.com",
	"example.com"},
    {"a dot at the end", "a.@example.com", "\"a.\"@example.com", "example.com"},
    {"two dots", "a..b@example.com", "\"a..b\"@example.com", "example.com"},
    {"a quoted-string", "\"a b\"@example.com", "\"a b\"@example.com",
	"example.com"},
    {"a quoted-string with an at sign", "\"a@b\"@example.com",
	"\"a@b\"@example.com", "example.com"},
    {"a quoted-string with quoted pairs", "\"\\\"\\\\\\a\"@example.com",
	"\"\\\"\\\\\\a\"@example.com", "example.com"},
    {"an empty quoted-string", "\"\"@example.com", "\"\"@example.com",
	"example.com"},
    {"a quote that is never closed", "\"a@example.com", "\"\\\"a\"@example.com",
	"example.com"},
    {"a quote alone", "\"@example.com", "\"\\\"\"@example.com", "example.com"},
    {"a closing quote that a backslash takes", "\"a\\\"@example.com",
	"\"\\\"a\\\\\\\"\"@example.com", "example.com"},
    {"a quoted-string with more behind it", "\"a\"b@example.com",
	"\"\\\"a\\\"b\"@example.com", "example.com"},
    {"two quoted-strings", "\"a\".\"b\"@example.com",
	"\"\\\"a\\\".\\\"b\\\"\"@example.com", "example.com"},
    {"a U-label", "user@b\xc3\xbcro.example", "user@xn--bro-hoa.example",
	"xn--bro-hoa.example"},
    {"an A-label", "user@XN--bro-hoa.Example", "user@XN--bro-hoa.Example",
	"xn--bro-hoa.example"},
    {"a dot after a U-label", "user@example.\xc3\xbc.", "user@example.xn--tda",
	"example.xn--tda"},
    {"an IPv4 literal", "user@[192.0.2.1]", "user@[192.0.2.1]", "[192.0.2.1]"},
    {"an IPv6 literal", "user@[IPv6:2001:DB8::1]", "user@[IPv6:2001:DB8::1]",
	"[ipv6:2001:db8::1]"},
    {"a local part of more than 64 bytes", A100 "@example.com",
	A100 "@example.com", "example.com"},
    {"320 bytes", A300 "aaaaaaaa@example.com", A300 "aaaaaaaa@example.com",
	"example.com"},
    {"900 bytes", A888 "@example.com", A888 "@example.com", "example.com"},
    {"900 bytes and a dot", A888 "@example.com.", A888 "@example.com",
	"example.com"},
};

static const struct refused {
	const char *says;
	const char *text;
	enum mailbox_error code;
	const char *fault;
	const char *sender; /* its path as a sender; NULL: refused, too */
} refused[] = {
    {"no at sign", "user", MAILBOX_ERROR_SYNTAX, "no '@'", "user"},
    {"angle brackets twice", "<<>>", MAILBOX_ERROR_SYNTAX, "no '@'",
	"\"<<>>\""},
    {"an at sign alone", "@", MAILBOX_ERROR_SYNTAX, "no local part", "\"\"@"},
    {"no local part", "@example.com", MAILBOX_ERROR_SYNTAX, "no local part",
	"\"\"@example.com"},
    {"no domain", "user@", MAILBOX_ERROR_SYNTAX, "domain: empty label",
	"user@"},
    {"a quoted-string without a domain", "\"a@b\"", MAILBOX_ERROR_SYNTAX,
	DOMAIN_CHARACTER, "\"a@b\""},
    {"a hyphen before a label", "job@-node.test", MAILBOX_ERROR_SYNTAX,
	"domain: label that begins or ends with '-'", "job@-node.test"},
    {"an empty label", "x@foo..test", MAILBOX_ERROR_SYNTAX,
	"domain: empty label", "x@foo..test"},
    {"a domain of 254 bytes", "a@" A100 A100 A10 A10 A10 A10 A10 "aaaa",
	MAILBOX_ERROR_SYNTAX, "domain: longer than 253 bytes",
	"a@" A100 A100 A10 A10 A10 A10 A10 "aaaa"},
    {"a domain of 256 bytes", "a@" A100 A100 A10 A10 A10 A10 A10 "aaaaaa",
	MAILBOX_ERROR_SYNTAX, "domain: longer than 253 bytes", NULL},
    {"angle brackets around it", "<user@example.com>", MAILBOX_ERROR_SYNTAX,
	DOMAIN_CHARACTER, NULL},
    {"a parameter in the domain", "user@example.com> SIZE=1",
	MAILBOX_ERROR_SYNTAX, DOMAIN_CHARACTER, NULL},
    {"a blank after it", "user@example.com ", MAILBOX_ERROR_SYNTAX,
	DOMAIN_CHARACTER, NULL},
    {"two dots after the domain", "user@example.com..", MAILBOX_ERROR_SYNTAX,
	"domain: empty label", "user@example.com.."},
    {"an address without brackets", "user@192.0.2.1", MAILBOX_ERROR_SYNTAX,
	"domain: last label all digits", "user@192.0.2.1"},
    {"a name in brackets", "user@[example.com]", MAILBOX_ERROR_SYNTAX,
	"domain: neither IPv4 nor IPv6 address", "user@[example.com]"},
    {"a dot after a literal", "user@[192.0.2.1].", MAILBOX_ERROR_SYNTAX,
	"domain: address without brackets around it", "user@[192.0.2.1]."},
    {"a line end in the local part", "a\r\nRCPT TO:<b@example.com",
	MAILBOX_ERROR_SYNTAX, "control character", NULL},
    {"a line end in a quoted-string", "\"a\r\nb\"@example.com",
	MAILBOX_ERROR_SYNTAX, "control character", NULL},
    {"a line end in the domain", "user@example.com\r\nDATA",
	MAILBOX_ERROR_SYNTAX, "control character", NULL},
    {"a line feed", "a\n@example.com", MAILBOX_ERROR_SYNTAX,
	"control character", NULL},
    {"a tab", "a\tb@example.com", MAILBOX_ERROR_SYNTAX, "control character",
	NULL},
    {"the lowest control character", "a\x01@example.com", MAILBOX_ERROR_SYNTAX,
	"control character", NULL},
    {"the highest control character", "a\x7f@example.com", MAILBOX_ERROR_SYNTAX,
	"control character", NULL},
    {"UTF-8 in the local part", "\xc3\xbc@example.com", MAILBOX_ERROR_UTF8,
	"local part needs SMTPUTF8", NULL},
    {"UTF-8 in a quoted-string", "\"\xc3\xbc\"@example.com", MAILBOX_ERROR_UTF8,
	"local part needs SMTPUTF8", NULL},
    {"UTF-8 everywhere", "\xc3\xbc@\xc3\xbc.example", MAILBOX_ERROR_UTF8,
	"local part needs SMTPUTF8", NULL},
    {"bytes that are no UTF-8 in the local part", "a\xff@example.com",
	MAILBOX_ERROR_SYNTAX, "not UTF-8", NULL},
    {"bytes that are no UTF-8 in the domain", "a@\xc3.example",
	MAILBOX_ERROR_SYNTAX, "not UTF-8", NULL},
    {"901 bytes", A888 "a@example.com", MAILBOX_ERROR_SYNTAX,
	"longer than 900 bytes", NULL},
    {"901 bytes by quoting",
	" " A300 A300 A100 A100 A10 A10 A10 A10 A10 A10 A10 "aaaaaa" A10
	"@example.com",
	MAILBOX_ERROR_SYNTAX, "longer than 900 bytes", NULL},
    {"3000 bytes", A888 A888 A888 A300 "aaaaaaaaaaaaaaaaaaaaaaaa@example.com",
	MAILBOX_ERROR_SYNTAX, "longer than 900 bytes", NULL},

};

/* What only a sender may be. */
static const struct null_sender {
	const char *says;
	const char *text;
} null_senders[] = {
    {"nothing", ""},
    {"what pipe(8) says", "MAILER-DAEMON"},
    {"the same in small letters", "mailer-daemon"},
    {"the path as SMTP has it", "<>"},
};

static void
assert_accepted(const struct mailbox *mailbox, const struct accepted *row)
{
	g_assert_nonnull(mailbox);
	g_assert_cmpstr(mailbox->path, ==, row->path);
	g_assert_cmpstr(mailbox->domain, ==, row->domain);
}

static void
test_accepted(gconstpointer data)
{
	const struct accepted *row = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(Mailbox) recipient = mailbox_parse(row->text, &error);
	g_autoptr(Mailbox) sender = NULL;

	g_assert_no_error(error);
	assert_accepted(recipient, row);
	sender = mailbox_parse_sender(row->text, &error);
	g_assert_no_error(error);
	assert_accepted(sender, row);
}

static void
test_refused(gconstpointer data)
{
	const struct refused *row = data;
	g_autoptr(GError) recipient = NULL;
	g_autoptr(Mailbox) mailbox = NULL;
	g_autoptr(GError) sender = NULL;

	g_assert_null(mailbox_parse(row->text, &recipient));
	g_assert_error(recipient, MAILBOX_ERROR, (int)row->code);
	g_assert_cmpstr(recipient->message, ==, row->fault);
	mailbox = mailbox_parse_sender(row->text, &sender);
	if (row->sender != NULL) {
		g_assert_no_error(sender);
		g_assert_cmpstr(mailbox->path, ==, row->sender);
		return;
	}
	g_assert_null(mailbox);
	g_assert_error(sender, MAILBOX_ERROR, (int)row->code);
}

static void
test_null_sender(gconstpointer data)
{
	const struct null_sender *row = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(Mailbox) sender = mailbox_parse_sender(row->text, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(sender->path, ==, "");
	g_assert_null(sender->domain);
	g_assert_null(mailbox_parse(row->text, &error));
	g_assert_error(error, MAILBOX_ERROR, MAILBOX_ERROR_SYNTAX);
}

static void
test_daemon_with_domain(void)
{
	g_autoptr(Mailbox) sender =
	    mailbox_parse_sender("MAILER-DAEMON@example.com", NULL);

	g_assert_nonnull(sender);
	g_assert_cmpstr(sender->path, ==, "MAILER-DAEMON@example.com");
}

/* A string of up to eight of @pieces. */
static void
append_random(GString *text, GRand *random, const char *const *pieces,
    gsize count)
{
	for (int left = g_rand_int_range(random, 0, 9); left > 0; left--) {
		int piece = g_rand_int_range(random, 0, (int)count);

		g_string_append(text, pieces[piece]);
	}
}

/* Likely enough to be an address, and as hostile as it gets. */
static char *
random_text(GRand *random)
{
	static const char *const local[] = {"a", "Z", "0", ".", "-", "\"",
	    "\"a", "a\"", "\\", "<", ">", " ", "@", ",", ":", "(", "~", "\x7f",
	    "\r\n", "\xc3\xbc", "\xff", A100, A300};
	static const char *const domain[] = {"a", "Z", "0", "-", "_", ".",
	    ".de", ".de", "ex1", "[", "]", "[192.0.2.1]", "[IPv6:::1]", ">",
	    " ", "\"", "\n", "\xc3\xbc", "\xe3\x80\x82", "\xc2\xad", "\xff"};
	GString *text = g_string_new(NULL);

	append_random(text, random, local, G_N_ELEMENTS(local));
	if (g_rand_int_range(random, 0, 16) > 0)
		g_string_append_c(text, '@');
	append_random(text, random, domain, G_N_ELEMENTS(domain));
	return g_string_free(text, FALSE);
}

/* What a server reads after "RCPT TO:<" must end where we say it ends. */
static void
assert_safe(const char *path)
{
	gboolean quoted = FALSE;

	g_assert_cmpuint(strlen(path), <=, MAILBOX_MAX);
	for (const char *p = path; *p != '\0'; p++) {
		g_assert_true(g_ascii_isprint(*p));
		if (*p == '"')
			quoted = !quoted;
		else if (quoted && *p == '\\')
			g_assert_true(g_ascii_isprint(*++p));
		else if (!quoted)
			g_assert_null(strchr("<> \\,;()", *p));
	}
	g_assert_false(quoted);
}

/* A sender's domain may be anything but the end of its command. */
static void
assert_bounded(const char *path)
{
	const char *at = strrchr(path, '@');
	gsize length = strlen(path);

	g_assert_cmpuint(length, <=, MAILBOX_MAX);
	for (const char *p = path; *p != '\0'; p++)
		g_assert_true(g_ascii_isprint(*p));
	/* The last at sign of a quoted-string divides nothing. */
	if (at != NULL && path[length - 1] != '"')
		g_assert_null(strpbrk(at, "<> "));
}

static void
test_random(void)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(5321);
	const guint rounds = watched_times(RANDOM_ROUNDS);
	guint accepted_count = 0;

	for (guint round = 0; round < rounds; round++) {
		g_autofree char *text = random_text(random);
		g_autoptr(Mailbox) mailbox = mailbox_parse(text, NULL);
		g_autoptr(Mailbox) sender = mailbox_parse_sender(text, NULL);
		g_autoptr(Mailbox) again = NULL;

		if (sender != NULL)
			assert_bounded(sender->path);
		if (mailbox == NULL)
			continue;
		accepted_count++;
		assert_safe(mailbox->path);
		again = mailbox_parse(mailbox->path, NULL);
		g_assert_nonnull(again);
		g_assert_cmpstr(again->path, ==, mailbox->path);
		g_assert_cmpstr(again->domain, ==, mailbox->domain);
	}
	/* Or the table of pieces is too hostile to test anything. */
	g_assert_cmpuint(accepted_count, >, rounds / 50);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("accepted", accepted, test_accepted);
	TABLE_ADD("refused", refused, test_refused);
	TABLE_ADD("null sender", null_senders, test_null_sender);
	g_test_add_func("/sender/MAILER-DAEMON of a domain",
	    test_daemon_with_domain);
	g_test_add_func("/random texts are safe or refused", test_random);
	return g_test_run();
}
