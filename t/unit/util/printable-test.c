/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "util/printable.h"

#define RANDOM_ROUNDS 20000
#define RANDOM_SIZE   64

static const struct row {
	const char *says;
	const char *text;
	gsize max;
	const char *line;
} rows[] = {
    {"nothing stays nothing", "", 80, ""},
    {"printable ASCII stays", " 250 2.0.0 Ok: ~!@#$%^&*()<>\"\\'", 80,
	" 250 2.0.0 Ok: ~!@#$%^&*()<>\"\\'"},
    {"a tab becomes a blank", "a\tb", 80, "a b"},
    {"a line end becomes one blank", "a\r\nb\nc\r", 80, "a b c "},
    {"a run of line ends becomes one blank", "a\n\r\n\t\nb", 80, "a b"},
    {"blanks stay as many", "a \n b", 80, "a   b"},
    {"control characters become question marks", "\x01z\x1b[0m\x7f\v\f", 80,
	"?z?[0m???"},
    {"typographic quotes become plain",
	"\xe2\x80\x98x\xe2\x80\x99 \xe2\x80\x9cy\xe2\x80\x9d", 80, "'x' \"y\""},
    {"accents are dropped", "Dos\xc3\xa9", 80, "Dose"},
    {"an ellipsis becomes dots", "a\xe2\x80\xa6", 80, "a..."},
    {"letters without a likeness become question marks", "\xe6\xbc\xa2", 80,
	"?"},
    {"a change of direction becomes a question mark", "\xe2\x80\xaetxt", 80,
	"?txt"},
    {"a C1 control becomes a question mark", "\xc2\x9bJ", 80, "?J"},
    {"bytes that are no UTF-8 become question marks", "\xff\xfez\xc3", 80,
	"??z?"},
    {"letters next to such bytes are still letters", "\xc3\xa9\xff", 80, "e?"},
    {"what just fits stays", "0123456789", 10, "0123456789"},
    {"what is cut ends in dots", "0123456789a", 10, "0123456..."},
    {"what grows is cut as it is then", "1234567\xe2\x80\xa6", 9, "123456..."},
    {"what shrinks is not cut", "a\r\n\r\n\r\nb", 3, "a b"},
    {"letters are not counted by their bytes",
	"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 4, "eeee"},
    {"four bytes leave room for one", "0123456789", 4, "0..."},
    {"three bytes are dots", "0123456789", 3, "..."},
    {"two bytes are dots, too", "0123456789", 2, ".."},
    {"no byte is nothing", "0123456789", 0, ""},
    {"no limit is possible", "0123456789", G_MAXSIZE, "0123456789"},
};

static void
test_row(gconstpointer data)
{
	const struct row *row = data;
	g_autofree char *line = printable(row->text, row->max);

	g_assert_cmpstr(line, ==, row->line);
}

static void
test_random(void)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(5321);

	for (int round = 0; round < RANDOM_ROUNDS; round++) {
		char text[RANDOM_SIZE] = "";
		gsize length = (gsize)g_rand_int_range(random, 0, RANDOM_SIZE);
		gsize max = (gsize)g_rand_int_range(random, 0, RANDOM_SIZE);
		g_autofree char *line = NULL;

		for (gsize i = 0; i < length; i++)
			text[i] = (char)g_rand_int_range(random, 1, 256);
		line = printable(text, max);
		g_assert_cmpuint(strlen(line), <=, max);
		for (const char *p = line; *p != '\0'; p++)
			g_assert_true(g_ascii_isprint(*p));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path =
		    g_strdup_printf("/printable/%s", rows[i].says);

		g_test_add_data_func(path, &rows[i], test_row);
	}
	g_test_add_func("/printable/random bytes make a line", test_random);
	return g_test_run();
}
