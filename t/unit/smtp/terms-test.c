/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "smtp/terms.h"
#include "unit/table.h"

#define LONGEST (MAILBOX_MAX - strlen("@b.example"))

static const struct offer nothing = {0};
static const struct offer everything = {
    .eightbitmime = TRUE,
    .size = TRUE,
    .dsn = TRUE,
    .smtputf8 = TRUE,
};

static const struct row {
	const char *says;
	const struct offer *offer;
	const char *sender;
	const char *content;
	const char *from_dsn;
	const char *to_dsn;
	gboolean smtputf8;
	const char *mail;
	const char *rcpt;
} rows[] = {
    {"a message", &nothing, "me@a.example", "a\n", NULL, NULL, FALSE,
	"MAIL FROM:<me@a.example>\r\n", "RCPT TO:<you@b.example>\r\n"},
    {"the null sender", &nothing, "", "a\n", NULL, NULL, FALSE,
	"MAIL FROM:<>\r\n", "RCPT TO:<you@b.example>\r\n"},
    {"its size", &everything, "", "a\n", NULL, NULL, FALSE,
	"MAIL FROM:<> SIZE=3\r\n", "RCPT TO:<you@b.example>\r\n"},
    {"none", &everything, "", "", NULL, NULL, FALSE, "MAIL FROM:<>\r\n",
	"RCPT TO:<you@b.example>\r\n"},
    {"all there is", &everything, "me@a.example", "\303\274\n",
	" RET=HDRS ENVID=x", " NOTIFY=NEVER", TRUE,
	"MAIL FROM:<me@a.example> SIZE=4 BODY=8BITMIME RET=HDRS ENVID=x "
	"SMTPUTF8\r\n",
	"RCPT TO:<you@b.example> NOTIFY=NEVER\r\n"},
    {"the same, to a host that has nothing", &nothing, "me@a.example",
	"\303\274\n", " RET=HDRS ENVID=x", " NOTIFY=NEVER", FALSE,
	"MAIL FROM:<me@a.example>\r\n", "RCPT TO:<you@b.example>\r\n"},
};

static struct message *
message_of(const char *content)
{
	struct message *message = message_new("/nonexistent");

	g_assert_true(message_add(message, content, strlen(content), NULL));
	g_assert_true(message_end(message, NULL));
	return message;
}

static void
test_row(gconstpointer data)
{
	const struct row *row = data;
	g_autoptr(Message) message = message_of(row->content);
	g_autoptr(Mailbox) from = mailbox_parse_sender(row->sender, NULL);
	g_autoptr(Mailbox) to = mailbox_parse("you@b.example", NULL);
	g_autoptr(GPtrArray) recipients = g_ptr_array_new();
	g_autofree char *mail = NULL;
	g_autofree char *rcpt = NULL;
	const struct wire_job job = {
	    .sender = from,
	    .recipients = recipients,
	    .message = message,
	    .smtputf8 = row->smtputf8,
	};

	from->dsn = g_strdup(row->from_dsn);
	to->dsn = g_strdup(row->to_dsn);
	g_ptr_array_add(recipients, to);
	mail = terms_mail(row->offer, &job);
	rcpt = terms_rcpt(row->offer, &job, 0);
	g_assert_cmpstr(mail, ==, row->mail);
	g_assert_cmpstr(rcpt, ==, row->rcpt);
}

/* The longest path there is must not be cut. */
static void
test_long_path(void)
{
	g_autofree char *local = g_strnfill(LONGEST, 'x');
	g_autofree char *path = g_strconcat(local, "@b.example", NULL);
	g_autofree char *expected = g_strdup_printf("RCPT TO:<%s>\r\n", path);
	g_autoptr(Mailbox) to = mailbox_parse(path, NULL);
	g_autoptr(GPtrArray) recipients = g_ptr_array_new();
	g_autofree char *rcpt = NULL;
	const struct wire_job job = {.recipients = recipients};

	g_assert_nonnull(to);
	g_ptr_array_add(recipients, to);
	rcpt = terms_rcpt(&everything, &job, 0);
	g_assert_cmpstr(rcpt, ==, expected);
}

static void
test_volley(void)
{
	const struct offer piped = {.pipelining = TRUE};
	g_autoptr(GPtrArray) one = g_ptr_array_new();
	g_autoptr(GPtrArray) two = g_ptr_array_new();
	struct wire_job job = {.recipients = one};

	g_ptr_array_set_size(one, 1);
	g_ptr_array_set_size(two, 2);
	g_assert_true(terms_allow_volley(&piped, &job));
	g_assert_false(terms_allow_volley(&everything, &job));
	job.recipients = two;
	g_assert_false(terms_allow_volley(&piped, &job));
	job.partial = TRUE;
	g_assert_true(terms_allow_volley(&piped, &job));
	job.inquiry = TRUE;
	g_assert_false(terms_allow_volley(&piped, &job));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("terms", rows, test_row);
	g_test_add_func("/terms/the longest path", test_long_path);
	g_test_add_func("/terms/what may leave as one", test_volley);
	return g_test_run();
}
