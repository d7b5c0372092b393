/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "smtp/fold.h"
#include "unit/table.h"

/* What a host gets of a message, with lines of five octets at most. */
static const struct fold {
	const char *says;
	const char *message;
	const char *wire;
} folds[] = {
    {"nothing", "", ".\r\n"},
    {"an empty line", "\n", "\r\n.\r\n"},
    {"a short line", "abcd\n", "abcd\r\n.\r\n"},
    {"a line of the limit", "abcde\n", "abcde\r\n.\r\n"},
    {"the same without an end", "abcde", "abcde\r\n.\r\n"},
    {"an octet more", "abcdef\n", "abcde\r\n f\r\n.\r\n"},
    {"an octet more without an end", "abcdef", "abcde\r\n f\r\n.\r\n"},
    {"twice the limit", "abcdefghij\n", "abcde\r\n fghi\r\n j\r\n.\r\n"},
    {"a blank at the fold", "abcde fgh\n", "abcde\r\n  fgh\r\n.\r\n"},
    {"long lines and short ones", "abcdef\n\nx\nabcdef\n",
	"abcde\r\n f\r\n\r\nx\r\nabcde\r\n f\r\n.\r\n"},
    {"a dot does not count double", ".bcde\n", "..bcde\r\n.\r\n"},
    {"a dot in front of a long line", ".bcdef\n", "..bcde\r\n f\r\n.\r\n"},
    {"a dot at the fold is no first one", "abcde.\n", "abcde\r\n .\r\n.\r\n"},
    {"a dot alone", ".\n", "..\r\n.\r\n"},
    {"dots alone", ".....\n", "......\r\n.\r\n"},
    {"more of them", "......\n", "......\r\n .\r\n.\r\n"},
    {"a stray CR", "abcd\rf\n", "abcd \r\n f\r\n.\r\n"},
    {"CRLF", "abcde\r\nx\r\n", "abcde\r\nx\r\n.\r\n"},
    {"8-bit octets", "\xe4\xf6\xfc\xdf\xff\xe4\n",
	"\xe4\xf6\xfc\xdf\xff\r\n \xe4\r\n.\r\n"},
};

#define LIMIT 5

static struct message *
make_message(const char *text, gsize length)
{
	struct message *message = message_new(g_get_tmp_dir());

	for (gsize i = 0; i < length; i += MESSAGE_PIECE_MAX)
		g_assert_true(message_add(message, text + i,
		    MIN(length - i, MESSAGE_PIECE_MAX), NULL));
	g_assert_true(message_end(message, NULL));
	return message;
}

static char *
wire_of(struct message *message)
{
	g_autoptr(GString) wire = g_string_new(NULL);

	while (wire->len < message_wire_length(message)) {
		const char *data;
		gsize length;

		g_assert_true(
		    message_piece(message, wire->len, &data, &length, NULL));
		g_string_append_len(wire, data, (gssize)length);
	}
	return g_strdup(wire->str);
}

static void
test_fold(gconstpointer data)
{
	const struct fold *row = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(Message) message =
	    make_message(row->message, strlen(row->message));
	g_autoptr(Message) folded =
	    fold_message(message, LIMIT, g_get_tmp_dir(), &error);
	g_autofree char *before = wire_of(message);
	g_autofree char *wire = NULL;

	g_assert_no_error(error);
	wire = wire_of(folded);
	g_assert_cmpstr(wire, ==, row->wire);
	g_assert_cmpint(message_is_8bit(folded), ==, message_is_8bit(message));
	if (!g_str_equal(wire, before))
		g_assert_true(fold_is_needed(message, LIMIT));
	g_assert_false(fold_is_needed(folded, LIMIT + 1));
}

/* In a file, so that lines go from one piece to the next. */
static void
test_large(void)
{
	gsize length = MESSAGE_MEMORY_MAX * 3;
	g_autofree char *line = g_strnfill(length, 'x');
	g_autoptr(Message) message = make_message(line, length);
	g_autoptr(Message) folded =
	    fold_message(message, 998, g_get_tmp_dir(), NULL);
	g_autofree char *wire = NULL;
	g_auto(GStrv) lines = NULL;
	gsize found = 0;

	g_assert_true(fold_is_needed(message, 998));
	g_assert_false(fold_is_needed(message, (guint)length));
	wire = wire_of(folded);
	lines = g_strsplit(wire, "\r\n", -1);
	for (gsize i = 0; lines[i + 2] != NULL; i++) {
		g_assert_cmpuint(strlen(lines[i]), <=, 998);
		g_assert_cmpint(lines[i][0], ==, i == 0 ? 'x' : ' ');
		found += strlen(lines[i]) - (i == 0 ? 0 : 1);
	}
	g_assert_cmpuint(found, ==, length);
	g_assert_cmpuint(message_size(folded), ==,
	    message_wire_length(folded) - 3);
}

/* No room for the copy: an error, not half a message. */
static void
test_no_room(void)
{
	gsize length = MESSAGE_MEMORY_MAX * 2;
	g_autofree char *line = g_strnfill(length, 'x');
	g_autoptr(Message) message = make_message(line, length);
	g_autoptr(GError) error = NULL;

	g_assert_null(fold_message(message, 998, "/nonexistent", &error));
	g_assert_error(error, MESSAGE_ERROR, MESSAGE_ERROR_SPOOL);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("fold", folds, test_fold);
	g_test_add_func("/a large message", test_large);
	g_test_add_func("/no room", test_no_room);
	return g_test_run();
}
