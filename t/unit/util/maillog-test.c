/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "unit/table.h"
#include "util/maillog.h"

#define NAME "postfix/smtproute"

/* What comes before the queue id. */
#define STAMP                                                                  \
	"^[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} [^ .\n]+ "      \
	"postfix/smtproute\\[[0-9]+\\]: "

#define A10 "aaaaaaaaaa"
#define A60 A10 A10 A10 A10 A10 A10

static const struct queue_id {
	const char *says;
	const char *given; /* NULL: none */
	const char *logged;
} queue_ids[] = {
    {"short", "4F1B", "4F1B"},
    {"long", "4ZkrKg2vKbz9sT1", "4ZkrKg2vKbz9sT1"},
    {"none", NULL, "NOQUEUE"},
    {"empty", "", "NOQUEUE"},
    {"marks that are kept", "a-b_c.d", "a-b_c.d"},
    {"blanks", "4F 1B", "4F?1B"},
    {"a colon", "4F1B: to=<a>", "4F1B??to??a?"},
    {"a line end", "4F1B\nNov", "4F1B?Nov"},
    {"8-bit bytes", "4F\303\274", "4F??"},
    {"what would be a format", "%s%n", "?s?n"},
    {"too long", A60 A10, A60 "aaaa"},
};

static const struct text {
	const char *says;
	const char *given;
	const char *logged;
} texts[] = {
    {"plain", "New SMTP DCID 1", "New SMTP DCID 1"},
    {"empty", "", ""},
    {"a line end", "a\nNov 22 b", "a Nov 22 b"},
    {"CR LF", "a\r\nb\r\n", "a b "},
    {"control bytes", "\001a\033[1m\177", "?a?[1m?"},
    {"bytes that are no UTF-8", "a\377b", "a?b"},
    {"typographic quotes", "\342\200\230a\342\200\231", "'a'"},
    {"what would be a format", "%s%n%d", "%s%n%d"},
    {"a host that quotes Postfix", "to=<a>, status=sent",
	"to=<a>, status:sent"},
};

/* The directory of all tests, which must be empty at their end. */
struct place {
	char *directory;
	char *path;
};

/* All that was logged since the last call; the file is removed. */
static char *
take_log(const struct place *place)
{
	g_autoptr(GError) error = NULL;
	char *log;

	g_file_get_contents(place->path, &log, NULL, &error);
	g_assert_no_error(error);
	g_assert_no_errno(g_unlink(place->path));
	return log;
}

/* The log is one line: stamp, @queue_id, colon, blank, @text. */
static void
assert_logged(const struct place *place, const char *queue_id, const char *text)
{
	g_autofree char *log = take_log(place);
	g_autofree char *rest = g_strdup_printf("%s: %s\n", queue_id, text);
	const char *begin = strstr(log, "]: ");

	g_assert_true(g_regex_match_simple(STAMP, log, 0, 0));
	g_assert_cmpstr(begin + strlen("]: "), ==, rest);
	g_assert_true(strchr(log, '\n') == log + strlen(log) - 1);
}

static const struct place *
open_log(void)
{
	static struct place place;

	if (place.directory == NULL) {
		place.directory = g_dir_make_tmp("maillog-test-XXXXXX", NULL);
		g_assert_nonnull(place.directory);
		place.path = g_build_filename(place.directory, "log", NULL);
	}
	maillog_open(place.path, NAME);
	maillog_set_queue_id(NULL);
	return &place;
}

static void
test_queue_id(gconstpointer data)
{
	const struct queue_id *row = data;
	const struct place *place = open_log();

	maillog_set_queue_id(row->given);
	maillog_info("%s", "text");
	assert_logged(place, row->logged, "text");
}

static void
test_text(gconstpointer data)
{
	const struct text *row = data;
	const struct place *place = open_log();
	g_autofree char *warning = g_strconcat("warning: ", row->logged, NULL);

	maillog_set_queue_id("4F1B");
	maillog_info("%s", row->given);
	assert_logged(place, "4F1B", row->logged);
	maillog_warning("%s", row->given);
	assert_logged(place, "4F1B", warning);
}

static void
test_format(void)
{
	const struct place *place = open_log();

	maillog_info("DCID %d to RID [%u] %s", 300, 0U, "Ok");
	assert_logged(place, "NOQUEUE", "DCID 300 to RID [0] Ok");
}

static void
test_length(void)
{
	static const gsize lengths[] = {MAILLOG_LINE_MAX, MAILLOG_LINE_MAX + 1,
	    1000000};
	const struct place *place = open_log();

	for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
		g_autofree char *text = g_strnfill(lengths[i], 'x');
		g_autofree char *log = NULL;
		const char *begin;

		maillog_info("%s", text);
		log = take_log(place);
		begin = strstr(log, "]: NOQUEUE: x");
		g_assert_nonnull(begin);
		begin += strlen("]: NOQUEUE: ");
		g_assert_cmpuint(strlen(begin), ==,
		    MAILLOG_LINE_MAX + strlen("\n"));
		g_assert_true(g_str_has_suffix(begin,
		    lengths[i] > MAILLOG_LINE_MAX ? "x...\n" : "xxxx\n"));
	}
}

/* Lines are added to what is there, of this process or of another. */
static void
test_append(void)
{
	const struct place *place = open_log();
	g_autofree char *log = NULL;
	g_auto(GStrv) lines = NULL;
	struct stat st;

	g_assert_true(g_file_set_contents(place->path, "before\n", -1, NULL));
	maillog_info("first");
	maillog_warning("second");
	g_assert_no_errno(g_stat(place->path, &st));
	g_assert_cmpuint(st.st_mode & 0111, ==, 0);
	log = take_log(place);
	lines = g_strsplit(log, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, 4);
	g_assert_cmpstr(lines[0], ==, "before");
	g_assert_true(g_str_has_suffix(lines[1], ": NOQUEUE: first"));
	g_assert_true(g_str_has_suffix(lines[2], ": NOQUEUE: warning: second"));
	g_assert_cmpstr(lines[3], ==, "");
}

/* The name counts, whatever was open before. */
static void
test_rotation(void)
{
	const struct place *place = open_log();
	g_autofree char *other = g_strconcat(place->path, ".1", NULL);
	g_autofree char *log = NULL;
	g_autofree char *rotated = NULL;

	maillog_info("first");
	g_assert_no_errno(g_rename(place->path, other));
	maillog_info("second");
	g_assert_true(g_file_get_contents(other, &rotated, NULL, NULL));
	g_assert_no_errno(g_unlink(other));
	log = take_log(place);
	g_assert_true(g_str_has_suffix(rotated, ": NOQUEUE: first\n"));
	g_assert_true(g_str_has_suffix(log, ": NOQUEUE: second\n"));
}

/* One reader of a FIFO comes after the other. */
static void
test_fifo(void)
{
	const struct place *place = open_log();
	g_autofree char *fifo =
	    g_build_filename(place->directory, "fifo", NULL);

	g_assert_no_errno(mkfifo(fifo, 0600));
	maillog_open(fifo, NAME);
	for (int i = 0; i < 2; i++) {
		int fd = open(fifo, O_RDONLY | O_NONBLOCK);
		char text[512];
		gssize n;

		g_assert_no_errno(fd);
		maillog_info("heard");
		n = read(fd, text, sizeof(text) - 1);
		g_assert_cmpint(n, >, 0);
		text[n] = '\0';
		g_assert_true(g_str_has_suffix(text, ": NOQUEUE: heard\n"));
		close(fd);
		maillog_info("lost");
	}
	g_assert_no_errno(g_unlink(fifo));
}

/* Envelopes and answers of servers are not for everybody's eyes. */
static void
test_mode(void)
{
	const struct place *place = open_log();
	g_autofree char *log = NULL;
	mode_t before = umask(0);
	struct stat st;

	maillog_info("first");
	umask(before);
	g_assert_no_errno(g_stat(place->path, &st));
	g_assert_cmpuint(st.st_mode & 07777, ==, 0640);
	log = take_log(place);
}

/* A log that cannot be written is no reason to fail, to wait or to die. */
static void
test_unwritable(void)
{
	const struct place *place = open_log();
	g_autofree char *missing =
	    g_build_filename(place->directory, "missing", "log", NULL);
	g_autofree char *fifo =
	    g_build_filename(place->directory, "fifo", NULL);
	const struct {
		const char *path;
		int error;
	} rows[] = {
	    {missing, ENOENT},
	    {place->directory, EISDIR},
	    {"/dev/full", ENOSPC},
	    {fifo, ENXIO},
	    {"", ENOENT},
	};

	g_assert_null(maillog_close());
	g_assert_no_errno(mkfifo(fifo, 0600));
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *why = g_strdup_printf("%s: %s", rows[i].path,
		    g_strerror(rows[i].error));

		maillog_open(rows[i].path, NAME);
		maillog_info("lost");
		g_assert_cmpstr(maillog_close(), ==, why);
	}
	/* The first one counts, until it is opened again. */
	maillog_warning("lost");
	g_assert_cmpstr(maillog_close(), ==, ": No such file or directory");
	maillog_open("", NAME);
	g_assert_null(maillog_close());
	g_assert_no_errno(g_unlink(fifo));
	g_assert_cmpint(g_access(missing, F_OK), ==, -1);
}

/* GLib's warnings are logged, its chatter is not. */
static void
test_glib(void)
{
	const struct place *place = open_log();

	maillog_take_glib();
	g_log_structured(G_LOG_DOMAIN, G_LOG_LEVEL_MESSAGE, "MESSAGE",
	    "chatter");
	g_log_structured(G_LOG_DOMAIN, G_LOG_LEVEL_INFO, "MESSAGE", "chatter");
	g_log_structured(G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "MESSAGE",
	    "no \342\200\234%s\342\200\235", "file");
	assert_logged(place, "NOQUEUE", "warning: no \"file\"");
	g_log_structured(G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL, "MESSAGE", "bug");
	assert_logged(place, "NOQUEUE", "warning: bug");
}

int
main(int argc, char **argv)
{
	const struct place *place;
	int status;

	g_test_init(&argc, &argv, NULL);
	signal(SIGPIPE, SIG_IGN);
	TABLE_ADD("queue id", queue_ids, test_queue_id);
	TABLE_ADD("text", texts, test_text);
	g_test_add_func("/file/a format is followed", test_format);
	g_test_add_func("/file/a long line is cut", test_length);
	g_test_add_func("/file/lines are appended", test_append);
	g_test_add_func("/file/rotated", test_rotation);
	g_test_add_func("/file/FIFO", test_fifo);
	g_test_add_func("/file/it is not for everybody", test_mode);
	g_test_add_func("/file/what cannot be written is lost",
	    test_unwritable);
	g_test_add_func("/glib/warnings are logged", test_glib);
	status = g_test_run();

	/* fails if a file is left */
	place = open_log();
	g_assert_no_errno(rmdir(place->directory));
	g_free(place->directory);
	g_free(place->path);
	return status;
}
