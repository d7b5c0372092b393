/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <glib.h>

#include "smtp/message.h"
#include "util/autofd.h"
#include "util/deadline.h"

/* Where one read of the input ends and the next begins. */
#define BLOCK (64 * 1024)

/* One line of this length without its end is all that fits into memory. */
#define MEMORY_FULL (MESSAGE_MEMORY_MAX - strlen("\r\n.\r\n"))

#define FOREVER (deadline_in(G_TIME_SPAN_MINUTE * 10))

/* The spool directory of all tests, which must be empty at their end. */
struct spool {
	char *directory;
};

struct text {
	const char *data;
	gsize length;
};

/* A string literal, NUL bytes included. */
#define T(literal)                                                             \
	{                                                                      \
		literal, sizeof(literal) - 1                                   \
	}

static const struct {
	const char *sentence;
	struct text input;
	struct text wire;
	guint64 size;
	gboolean is_8bit;
} rows[] = {
    {"an empty message is the final dot alone", T(""), T(".\r\n"), 0, FALSE},
    {"an empty line", T("\n"), T("\r\n.\r\n"), 2, FALSE},
    {"LF becomes CRLF", T("a\nb\n"), T("a\r\nb\r\n.\r\n"), 6, FALSE},
    {"CRLF stays", T("a\r\nb\r\n"), T("a\r\nb\r\n.\r\n"), 6, FALSE},
    {"LF and CRLF in one message", T("a\nb\r\nc\n"), T("a\r\nb\r\nc\r\n.\r\n"),
	9, FALSE},
    {"a missing final newline is added", T("a"), T("a\r\n.\r\n"), 3, FALSE},
    {"no header at all: none is invented", T("\nbody\n"),
	T("\r\nbody\r\n.\r\n"), 8, FALSE},
    {"a header is neither refolded nor reordered",
	T("To: a\nTo: b\nSubject:\n\t folded\nReturn-Path: <>\n\nx\n"),
	T("To: a\r\nTo: b\r\nSubject:\r\n\t folded\r\nReturn-Path: <>\r\n"
	  "\r\nx\r\n.\r\n"),
	56, FALSE},
    {"blanks at the end of lines stay", T("a \nb\t\n \n"),
	T("a \r\nb\t\r\n \r\n.\r\n"), 11, FALSE},

    {"a dot alone on the only line is doubled", T(".\n"), T("..\r\n.\r\n"), 3,
	FALSE},
    {"a dot without newline is doubled and completed", T("."), T("..\r\n.\r\n"),
	3, FALSE},
    {"a dot alone on a line in the middle", T("a\n.\nb\n"),
	T("a\r\n..\r\nb\r\n.\r\n"), 9, FALSE},
    {"a dot on a line that ends in CRLF", T("a\r\n.\r\nb\r\n"),
	T("a\r\n..\r\nb\r\n.\r\n"), 9, FALSE},
    {"leading dots on every line", T(".a\n..b\n...c\n"),
	T("..a\r\n...b\r\n....c\r\n.\r\n"), 15, FALSE},
    {"dots elsewhere are not doubled", T("a.\nb.c\n .\n"),
	T("a.\r\nb.c\r\n .\r\n.\r\n"), 13, FALSE},

    {"lines that stay, and others among them",
	T("a\r\nb\r\nc\n.d\r\ne\r\nf\rg\r\nh\r\n\r\ni"),
	T("a\r\nb\r\nc\r\n..d\r\ne\r\nf g\r\nh\r\n\r\ni\r\n.\r\n"), 29, FALSE},
    {"CR alone is a space", T("\r"), T(" \r\n.\r\n"), 3, FALSE},
    {"CR at the beginning", T("\ra\n"), T(" a\r\n.\r\n"), 4, FALSE},
    {"CR in the middle", T("a\rb\n"), T("a b\r\n.\r\n"), 5, FALSE},
    {"CR at the very end", T("a\n\r"), T("a\r\n \r\n.\r\n"), 6, FALSE},
    {"CR CR LF: the first is a space", T("a\r\r\nb\n"), T("a \r\nb\r\n.\r\n"),
	7, FALSE},
    {"CR CR CR LF", T("\r\r\r\n"), T("  \r\n.\r\n"), 4, FALSE},
    {"LF CR: the CR belongs to the next line", T("a\n\rb\n"),
	T("a\r\n b\r\n.\r\n"), 7, FALSE},
    {"CR dot CR does not end the message", T("a\r.\rb\n"), T("a . b\r\n.\r\n"),
	7, FALSE},
    {"LF dot CR does not end the message", T("a\n.\rb\n"),
	T("a\r\n.. b\r\n.\r\n"), 8, FALSE},
    {"LF dot CR CR LF does not end the message", T("a\n.\r\r\nb\n"),
	T("a\r\n.. \r\nb\r\n.\r\n"), 10, FALSE},
    {"CR LF dot LF does not end the message", T("a\r\n.\nb\n"),
	T("a\r\n..\r\nb\r\n.\r\n"), 9, FALSE},
    {"CR dot at the beginning is not a leading dot", T("\r.\n"),
	T(" .\r\n.\r\n"), 4, FALSE},

    {"NUL stays", T("a\0b\0\n"), T("a\0b\0\r\n.\r\n"), 6, FALSE},
    {"NUL alone", T("\0"), T("\0\r\n.\r\n"), 3, FALSE},
    {"DEL is not 8-bit", T("\177\n"), T("\177\r\n.\r\n"), 3, FALSE},
    {"8-bit stays", T("gr\303\274n\n"), T("gr\303\274n\r\n.\r\n"), 7, TRUE},
    {"8-bit in the first octet only", T("\200aaaaaaaaaaaaaaaa"),
	T("\200aaaaaaaaaaaaaaaa\r\n.\r\n"), 19, TRUE},
    {"8-bit in the last octet only", T("aaaaaaaaaaaaaaaa\377"),
	T("aaaaaaaaaaaaaaaa\377\r\n.\r\n"), 19, TRUE},
};

/*
 * The reference: octet by octet, written to be obviously right.
 */
struct expected {
	GString *wire;
	guint64 size;
	gboolean is_8bit;
};

static void
expect_octet(struct expected *expected, char octet, gboolean leading)
{
	if (leading && octet == '.')
		g_string_append_c(expected->wire, '.');
	g_string_append_c(expected->wire, octet);
	expected->size++;
	if ((guchar)octet > 127)
		expected->is_8bit = TRUE;
}

static struct expected
expect(const char *input, gsize length)
{
	struct expected expected = {.wire = g_string_new(NULL)};
	gboolean leading = TRUE;

	for (gsize i = 0; i < length; i++) {
		if (input[i] == '\r' && i + 1 < length && input[i + 1] == '\n')
			continue;
		if (input[i] == '\n') {
			expect_octet(&expected, '\r', FALSE);
			expect_octet(&expected, '\n', FALSE);
			leading = TRUE;
			continue;
		}
		expect_octet(&expected, input[i] == '\r' ? ' ' : input[i],
		    leading);
		leading = FALSE;
	}
	if (!leading) {
		expect_octet(&expected, '\r', FALSE);
		expect_octet(&expected, '\n', FALSE);
	}
	g_string_append(expected.wire, ".\r\n");
	return expected;
}

/*
 * Feeding: a thread writes the input into a pipe, in pieces.
 */
struct feed {
	const char *data;
	gsize length;
	gsize piece;
	int fd;
};

static gpointer
feed_thread(gpointer data)
{
	struct feed *feed = data;
	gsize done = 0;

	while (done < feed->length) {
		gsize piece = MIN(feed->piece, feed->length - done);
		gssize written = write(feed->fd, feed->data + done, piece);

		if (written < 0)
			break;
		done += (gsize)written;
	}
	autofd_clear(&feed->fd);
	return NULL;
}

static struct message *
read_fed(const struct spool *spool, const char *data, gsize length, gsize piece)
{
	g_autoptr(GError) error = NULL;
	struct feed feed = {.data = data, .length = length, .piece = piece};
	struct message *message;
	GThread *thread;
	int ends[2];

	g_assert_no_errno(pipe2(ends, O_CLOEXEC));
	feed.fd = ends[1];
	g_assert_no_errno(fcntl(ends[0], F_SETFL, O_NONBLOCK));
	thread = g_thread_new("feed", feed_thread, &feed);
	message = message_read(ends[0], spool->directory, FOREVER, &error);
	close(ends[0]);
	g_thread_join(thread);
	g_assert_no_error(error);
	return message;
}

/* Added piece by piece, of all sizes, none too. */
static void
add_pieces(struct message *message, const char *data, gsize length, GRand *rand)
{
	g_autoptr(GError) error = NULL;

	while (length > 0) {
		gint32 limit = 1 << g_rand_int_range(rand, 0, 17);
		gsize piece = (gsize)g_rand_int_range(rand, 0, limit);

		piece = MIN(piece, length);
		g_assert_true(message_add(message, data, piece, &error));
		data += piece;
		length -= piece;
	}
	g_assert_true(message_end(message, &error));
	g_assert_no_error(error);
}

static int
file_with(const char *data, gsize length)
{
	int fd = memfd_create("message-test", MFD_CLOEXEC);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(write(fd, data, length), ==, length);
	g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
	return fd;
}

static struct message *
read_file(const struct spool *spool, const char *data, gsize length)
{
	g_autoptr(GError) error = NULL;
	autofd fd = file_with(data, length);
	struct message *message =
	    message_read(fd, spool->directory, FOREVER, &error);

	g_assert_no_error(error);
	return message;
}

static void
assert_piece(struct message *message, const GString *wire, gsize offset,
    gsize *ret_length)
{
	g_autoptr(GError) error = NULL;
	const char *data;
	gsize length;

	g_assert_true(message_piece(message, offset, &data, &length, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(length, >, 0);
	g_assert_cmpuint(length, <=, wire->len - offset);
	g_assert_true(memcmp(data, wire->str + offset, length) == 0);
	*ret_length = length;
}

static void
assert_content(struct message *message, const struct expected *expected)
{
	const GString *wire = expected->wire;
	gsize length;

	g_assert_cmpuint(message_wire_length(message), ==, wire->len);
	g_assert_cmpuint(message_size(message), ==, expected->size);
	g_assert_cmpint(message_is_8bit(message), ==, expected->is_8bit);
	for (gsize offset = 0; offset < wire->len; offset += length)
		assert_piece(message, wire, offset, &length);
	/* a host that refused half way: the next one begins anew */
	assert_piece(message, wire, wire->len - 1, &length);
	assert_piece(message, wire, 0, &length);
}

/* Takes the message. */
static void
assert_message(struct message *message, const struct expected *expected)
{
	assert_content(message, expected);
	message_free(message);
}

/* The same, whichever way the input comes. */
static void
check(const struct spool *spool, const char *data, gsize length)
{
	static const gsize pieces[] = {1, 3, 977, 65537, G_MAXSSIZE};
	struct expected expected = expect(data, length);

	for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
		if (length / pieces[i] > 5000)
			continue;
		assert_message(read_fed(spool, data, length, pieces[i]),
		    &expected);
	}
	assert_message(read_file(spool, data, length), &expected);
	g_string_free(expected.wire, TRUE);
}

static void
test_rows(gconstpointer data)
{
	const struct spool *spool = data;

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct text *input = &rows[i].input;
		struct expected expected = expect(input->data, input->length);

		g_test_message("%s", rows[i].sentence);
		g_assert_cmpmem(rows[i].wire.data, rows[i].wire.length,
		    expected.wire->str, expected.wire->len);
		g_assert_cmpuint(rows[i].size, ==, expected.size);
		g_assert_cmpint(rows[i].is_8bit, ==, expected.is_8bit);
		g_string_free(expected.wire, TRUE);
		check(spool, input->data, input->length);
	}
}

/* Every row again, with the end of a block at each of its octets. */
static void
test_block_ends(gconstpointer data)
{
	const struct spool *spool = data;
	g_autoptr(GString) input = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct text *row = &rows[i].input;

		for (gsize before = 0; before <= row->length; before++) {
			struct expected expected;

			g_string_set_size(input, BLOCK - before);
			memset(input->str, 'x', input->len);
			input->str[input->len - 1] = '\n';
			g_string_append_len(input, row->data,
			    (gssize)row->length);
			expected = expect(input->str, input->len);
			assert_message(read_file(spool, input->str, input->len),
			    &expected);
			g_string_free(expected.wire, TRUE);
		}
	}
}

static void
test_all_octets(gconstpointer data)
{
	const struct spool *spool = data;
	char input[3 * 256];

	for (int i = 0; i < 256; i++) {
		input[3 * i] = (char)i;
		input[3 * i + 1] = 'a';
		input[3 * i + 2] = (char)i;
	}
	check(spool, input, sizeof(input));
	for (int i = 0; i < 256; i++)
		check(spool, &input[3 * i], 1);
}

static void
test_cr_everywhere(gconstpointer data)
{
	const struct spool *spool = data;
	static const char model[] = "ab\n.c\r\n..\n";

	for (gsize i = 0; i < sizeof(model); i++) {
		g_autoptr(GString) input = g_string_new(model);

		g_string_insert_c(input, (gssize)i, '\r');
		check(spool, input->str, input->len);
		g_string_insert_c(input, (gssize)i, '\r');
		check(spool, input->str, input->len);
	}
}

static void
test_long_lines(gconstpointer data)
{
	static const gsize lengths[] = {998, 1000, 65535, 65536, 65537,
	    1000000};
	const struct spool *spool = data;

	for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
		g_autofree char *line = g_strnfill(lengths[i], '.');
		g_autofree char *twice = g_strconcat(line, "\n", line, NULL);

		check(spool, line, strlen(line));
		check(spool, twice, strlen(twice));
	}
}

/* Around the point where the memory is full, and where doubling gets there. */
static void
test_memory_limit(gconstpointer data)
{
	const struct spool *spool = data;
	const gsize full = MEMORY_FULL;
	g_autofree char *input = g_strnfill(full + 3, 'x');
	g_autofree char *lines = g_strnfill(full, '\n');

	for (gsize length = full - 3; length <= full + 3; length++)
		check(spool, input, length);
	for (gsize length = full / 2 - 3; length <= full / 2 + 3; length++)
		check(spool, lines, length);
}

static void
test_large(gconstpointer data)
{
	static const char *const repeated[] = {"\n", ".\n", ".\r\n", "\r",
	    "a line of usual length, as they are seen in text/plain\n",
	    "gr\303\274n\r\n"};
	const struct spool *spool = data;

	for (gsize i = 0; i < G_N_ELEMENTS(repeated); i++) {
		g_autoptr(GString) input = g_string_new(NULL);

		while (input->len < 3 * 1024 * 1024)
			g_string_append(input, repeated[i]);
		check(spool, input->str, input->len);
	}
}

static void
test_random(gconstpointer data)
{
	static const char alphabet[] = {'\r', '\n', '.', 'a', '\0', '\377'};
	const struct spool *spool = data;
	g_autoptr(GRand) rand = g_rand_new_with_seed(5321);
	g_autoptr(Message) again = message_new(spool->directory);

	for (int i = 0; i < 400; i++) {
		/* few of them large, most of them small */
		gint32 limit = 1 << g_rand_int_range(rand, 1, 20);
		gsize length = (gsize)g_rand_int_range(rand, 0, limit);
		gint32 letters =
		    g_rand_int_range(rand, 2, sizeof(alphabet) + 1);
		g_autofree char *input = g_malloc(length + 1);
		struct expected expected;

		for (gsize j = 0; j < length; j++)
			input[j] = alphabet[g_rand_int_range(rand, 0, letters)];
		expected = expect(input, length);
		assert_message(read_fed(spool, input, length,
				   (gsize)g_rand_int_range(rand, 100, 100000)),
		    &expected);
		add_pieces(again, input, length, rand);
		assert_content(again, &expected);
		message_empty(again);
		g_string_free(expected.wire, TRUE);
	}
}

int
main(int argc, char **argv)
{
	struct spool spool;
	int status;

	g_test_init(&argc, &argv, NULL);
	signal(SIGPIPE, SIG_IGN);
	spool.directory = g_dir_make_tmp("message-test-XXXXXX", NULL);
	g_assert_nonnull(spool.directory);

	g_test_add_data_func("/message/rows", &spool, test_rows);
	g_test_add_data_func("/message/block-ends", &spool, test_block_ends);
	g_test_add_data_func("/message/all-octets", &spool, test_all_octets);
	g_test_add_data_func("/message/cr", &spool, test_cr_everywhere);
	g_test_add_data_func("/message/long-lines", &spool, test_long_lines);
	g_test_add_data_func("/message/memory", &spool, test_memory_limit);
	g_test_add_data_func("/message/large", &spool, test_large);
	g_test_add_data_func("/message/random", &spool, test_random);
	status = g_test_run();

	/* fails if a spool file is left */
	g_assert_no_errno(rmdir(spool.directory));
	g_free(spool.directory);
	return status;
}
