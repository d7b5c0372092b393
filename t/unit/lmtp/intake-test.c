/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "lmtp/intake.h"
#include "unit/table.h"
#include "util/autofd.h"
#include "util/deadline.h"

#define SOON  (deadline_in(0))
#define LATER (deadline_in(60 * G_USEC_PER_SEC))

static const struct {
	const char *says;
	const char *input;
	const char *wire; /* NULL: it has no end */
	const char *next; /* the line behind it */
} contents[] = {
    {"nothing but the end", ".\r\nQUIT\r\n", ".\r\n", "QUIT"},
    {"a line and the end", "a\r\n.\r\nQUIT\r\n", "a\r\n.\r\n", "QUIT"},
    {"a doubled dot", "..a\r\n.\r\nQUIT\r\n", "..a\r\n.\r\n", "QUIT"},
    {"a dot that was not doubled is dropped", ".a\r\n.\r\nQUIT\r\n",
	"a\r\n.\r\n", "QUIT"},
    {"two dots alone", "..\r\n.\r\nQUIT\r\n", "..\r\n.\r\n", "QUIT"},
    {"LF.LF is no end", "a\n.\nb\r\n.\r\nQUIT\r\n", "a\r\n..\r\nb\r\n.\r\n",
	"QUIT"},
    {"LF.CRLF is no end", "a\n.\r\nMAIL FROM:<>\r\n.\r\nQUIT\r\n",
	"a\r\n..\r\nMAIL FROM:<>\r\n.\r\n", "QUIT"},
    {"CRLF.LF is no end", "a\r\n.\nMAIL FROM:<>\r\n.\r\nQUIT\r\n",
	"a\r\n\r\nMAIL FROM:<>\r\n.\r\n", "QUIT"},
    {"CRLF.CR is no end", "a\r\n.\rb\r\n.\r\nQUIT\r\n", "a\r\n b\r\n.\r\n",
	"QUIT"},
    {"CRLF.CRCRLF is no end", "a\r\n.\r\r\nb\r\n.\r\nQUIT\r\n",
	"a\r\n \r\nb\r\n.\r\n", "QUIT"},
    {"CR.CRLF is no end", "a\r.\r\nb\r\n.\r\nQUIT\r\n", "a .\r\nb\r\n.\r\n",
	"QUIT"},
    {"CRLF at once after a bare LF", "a\n\r\n.\r\nQUIT\r\n", "a\r\n\r\n.\r\n",
	"QUIT"},
    {"dots among lines that have none",
	"a\r\nb.\r\n..c\r\nd\r\n.e\r\nf\n.g\r\n..\r\nh\r\n.\r\nQUIT\r\n",
	"a\r\nb.\r\n..c\r\nd\r\ne\r\nf\r\n..g\r\n..\r\nh\r\n.\r\n", "QUIT"},
    {"no end at all", "a\r\nb\r\n", NULL, NULL},
    {"a dot, and the client is gone", "a\r\n.", NULL, NULL},
    {"a dot and CR, and the client is gone", "a\r\n.\r", NULL, NULL},
    {"a command that was sent ahead", ".\r\nRSET\r\nQUIT\r\n", ".\r\n", "RSET"},
};

/* What comes behind a line of its own: is DATA next, but for RCPT? */
static const struct follower {
	const char *says;
	const char *input;
	gboolean follows;
} followers[] = {
    {"nothing", "", FALSE},
    {"DATA", "DATA\r\n", TRUE},
    {"DATA, in small letters and with LF alone", "data\n", TRUE},
    {"behind others of its kind", "RCPT TO:<a@b>\r\nrcpt x\r\nDATA\r\n", TRUE},
    {"only others of its kind", "RCPT TO:<a@b>\r\n", FALSE},
    {"something else first", "RCPT TO:<a@b>\r\nRSET\r\nDATA\r\n", FALSE},
    {"half of it", "RCPT TO:<a@b>\r\nDATA\r", FALSE},
    {"more than it", "DATA x\r\n", FALSE},
    {"less than it", "DAT\r\n", FALSE},
    {"an empty line", "\r\nDATA\r\n", FALSE},
    {"a short line", "RCP\r\nDATA\r\n", FALSE},
};

struct feed {
	int fd;
	const char *data;
	gsize length;
	gsize piece;
};

static gpointer
feed_thread(gpointer data)
{
	const struct feed *feed = data;
	gsize sent = 0;

	while (sent < feed->length) {
		gssize n = write(feed->fd, feed->data + sent,
		    MIN(feed->piece, feed->length - sent));

		g_assert_cmpint(n, >, 0);
		sent += (gsize)n;
	}
	close(feed->fd);
	return NULL;
}

static void
assert_wire(struct message *message, const char *wire)
{
	g_autoptr(GError) error = NULL;
	const char *data;
	gsize length;

	g_assert_true(message_piece(message, 0, &data, &length, &error));
	g_assert_cmpmem(data, length, wire, strlen(wire));
}

static void
check_content(const char *input, const char *wire, const char *next,
    gsize piece)
{
	g_autoptr(Message) message = message_new("/tmp");
	g_autoptr(Intake) intake = NULL;
	g_autoptr(GError) error = NULL;
	struct feed feed = {.data = input,
	    .length = strlen(input),
	    .piece = piece};
	const char *line;
	GThread *thread;
	autofd in = -1;
	int ends[2];

	g_assert_no_errno(pipe2(ends, O_CLOEXEC));
	in = ends[0];
	feed.fd = ends[1];
	intake = intake_new(in);
	thread = g_thread_new("feed", feed_thread, &feed);
	if (wire == NULL) {
		g_assert_cmpint(intake_content(intake, message, LATER, &error),
		    ==, INTAKE_END);
	} else {
		g_assert_cmpint(intake_content(intake, message, LATER, &error),
		    ==, INTAKE_LINE);
		assert_wire(message, wire);
		g_assert_cmpint(intake_line(intake, LATER, &line), ==,
		    INTAKE_LINE);
		g_assert_cmpstr(line, ==, next);
	}
	g_assert_no_error(error);
	g_thread_join(thread);
}

static void
test_content(gconstpointer data)
{
	const __typeof__(contents[0]) *row = data;

	for (gsize piece = 1; piece < 8; piece++)
		check_content(row->input, row->wire, row->next, piece);
	check_content(row->input, row->wire, row->next, 1000);
}

/* Longer than any buffer, with an end that crosses every one of them. */
static void
test_large(void)
{
	for (gsize i = 0; i < 8; i++) {
		g_autofree char *x = g_strnfill(3 * 65536 - 4 + i, 'x');
		g_autofree char *input =
		    g_strconcat(x, "\r\n..\r\n.\r\nNOOP\r\n", NULL);
		g_autofree char *wire = g_strconcat(x, "\r\n..\r\n.\r\n", NULL);

		check_content(input, wire, "NOOP", 65536);
	}
}

static int
input_with(const char *text, gsize length)
{
	int ends[2];

	g_assert_no_errno(pipe2(ends, O_CLOEXEC));
	g_assert_cmpint(write(ends[1], text, length), ==, length);
	close(ends[1]);
	return ends[0];
}

static void
test_lines(void)
{
	static const char input[] = "a\r\nb\n\r\nc\0d\r\nend";
	autofd fd = input_with(input, sizeof(input) - 1);
	g_autoptr(Intake) intake = intake_new(fd);
	static const char *const lines[] = {"a", "b", "", "c?d"};
	const char *line;

	g_assert_false(intake_has_line(intake));
	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_assert_cmpint(intake_line(intake, LATER, &line), ==,
		    INTAKE_LINE);
		g_assert_cmpstr(line, ==, lines[i]);
		g_assert_cmpint(intake_has_line(intake), ==, i < 3);
	}
	g_assert_cmpint(intake_line(intake, LATER, &line), ==, INTAKE_END);
}

static void
test_late(void)
{
	g_autoptr(Intake) intake = NULL;
	const char *line;
	autofd in = -1;
	autofd out = -1;
	int ends[2];

	g_assert_no_errno(pipe2(ends, O_CLOEXEC));
	in = ends[0];
	out = ends[1];
	intake = intake_new(in);
	g_assert_cmpint(intake_line(intake, SOON, &line), ==, INTAKE_LATE);
	g_assert_cmpint(write(out, "NO", 2), ==, 2);
	g_assert_cmpint(intake_line(intake, deadline_in(1000), &line), ==,
	    INTAKE_LATE);
	g_assert_cmpint(write(out, "OP\r\n", 4), ==, 4);
	g_assert_cmpint(intake_line(intake, LATER, &line), ==, INTAKE_LINE);
	g_assert_cmpstr(line, ==, "NOOP");
}

/* As long as may be; one octet longer; far longer than any buffer. */
static void
test_long(void)
{
	static const struct {
		gsize length;
		enum intake_result result;
	} rows[] = {
	    {INTAKE_LINE_MAX - 2, INTAKE_LINE},
	    {INTAKE_LINE_MAX - 1, INTAKE_LONG},
	    {10 * 65536, INTAKE_LONG},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *x = g_strnfill(rows[i].length, 'x');
		g_autofree char *input = g_strconcat(x, "\r\nNOOP\r\n", NULL);
		struct feed feed = {.data = input,
		    .length = strlen(input),
		    .piece = 5000};
		g_autoptr(Intake) intake = NULL;
		const char *line;
		GThread *thread;
		autofd in = -1;
		int ends[2];

		g_assert_no_errno(pipe2(ends, O_CLOEXEC));
		in = ends[0];
		feed.fd = ends[1];
		thread = g_thread_new("feed", feed_thread, &feed);
		intake = intake_new(in);
		g_assert_cmpint(intake_line(intake, LATER, &line), ==,
		    rows[i].result);
		g_assert_cmpint(intake_line(intake, LATER, &line), ==,
		    INTAKE_LINE);
		g_assert_cmpstr(line, ==, "NOOP");
		g_thread_join(thread);
	}
}

/* Nowhere to keep it: it is read to its end all the same. */
static void
test_lost(void)
{
	g_autoptr(Message) message = message_new("/nonexistent");
	g_autofree char *x = g_strnfill(5 * MESSAGE_MEMORY_MAX, 'x');
	g_autofree char *input = g_strconcat(x, "\r\n.\r\nNOOP\r\n", NULL);
	struct feed feed = {.data = input,
	    .length = strlen(input),
	    .piece = 65536};
	g_autoptr(Intake) intake = NULL;
	g_autoptr(GError) error = NULL;
	const char *line;
	GThread *thread;
	autofd in = -1;
	int ends[2];

	g_assert_no_errno(pipe2(ends, O_CLOEXEC));
	in = ends[0];
	feed.fd = ends[1];
	thread = g_thread_new("feed", feed_thread, &feed);
	intake = intake_new(in);
	g_assert_cmpint(intake_content(intake, message, LATER, &error), ==,
	    INTAKE_LOST);
	g_assert_error(error, MESSAGE_ERROR, MESSAGE_ERROR_SPOOL);
	g_assert_cmpint(intake_line(intake, LATER, &line), ==, INTAKE_LINE);
	g_assert_cmpstr(line, ==, "NOOP");
	g_thread_join(thread);
}

static void
test_follows(gconstpointer data)
{
	const struct follower *row = data;
	g_autofree char *text =
	    g_strconcat("RCPT TO:<x@y>\r\n", row->input, NULL);
	autofd fd = input_with(text, strlen(text));
	g_autoptr(Intake) intake = intake_new(fd);
	const char *line;

	/* Before anything was read. */
	g_assert_false(intake_follows(intake, "RCPT", "DATA"));
	g_assert_cmpint(intake_line(intake, LATER, &line), ==, INTAKE_LINE);
	g_assert_cmpint(intake_follows(intake, "RCPT", "DATA"), ==,
	    row->follows);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("intake/content", contents, test_content);
	TABLE_ADD("intake/follows", followers, test_follows);
	g_test_add_func("/intake/large", test_large);
	g_test_add_func("/intake/lines", test_lines);
	g_test_add_func("/intake/late", test_late);
	g_test_add_func("/intake/long", test_long);
	g_test_add_func("/intake/lost", test_lost);
	return g_test_run();
}
