/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <glib.h>

#include "conf/wordlist.h"
#include "unit/table.h"

static const struct parse {
	const char *says;
	const char *text;
	gboolean (*is_word)(const char *word);
	const char *list; /* NULL: refused */
} parses[] = {
    {"a keyword", "SIZE", wordlist_is_keyword, "SIZE"},
    {"small letters, blanks", " size ,8bitmime", wordlist_is_keyword,
	"SIZE,8BITMIME"},
    {"hyphens and digits", "x-y,Z9", wordlist_is_keyword, "X-Y,Z9"},
    {"nothing", "", wordlist_is_keyword, NULL},
    {"a comma", ",", wordlist_is_keyword, NULL},
    {"a comma at the end", "SIZE,", wordlist_is_keyword, NULL},
    {"two commas", "SIZE,,DSN", wordlist_is_keyword, NULL},
    {"two words", "SIZE 8BITMIME", wordlist_is_keyword, NULL},
    {"a sign", "AUTH=LOGIN", wordlist_is_keyword, NULL},
    {"a hyphen in front", "-SIZE", wordlist_is_keyword, NULL},
    {"an enhanced code", "5.7.54", wordlist_is_refusal, "5.7.54"},
    {"a code, too, and many blanks", "5.7.54, 550  5.4.5", wordlist_is_refusal,
	"5.7.54,550 5.4.5"},
    {"the highest ones", "5.999.999", wordlist_is_refusal, "5.999.999"},
    {"a code alone", "550", wordlist_is_refusal, NULL},
    {"a delay", "4.7.1", wordlist_is_refusal, NULL},
    {"a delay as the code", "450 5.7.1", wordlist_is_refusal, NULL},
    {"a delay as the enhanced code", "550 4.7.1", wordlist_is_refusal, NULL},
    {"a code of four digits", "5500 5.7.1", wordlist_is_refusal, NULL},
    {"two numbers", "5.7", wordlist_is_refusal, NULL},
    {"no last number", "5.7.", wordlist_is_refusal, NULL},
    {"no number between", "5..1", wordlist_is_refusal, NULL},
    {"a number of four digits", "5.7.1000", wordlist_is_refusal, NULL},
    {"four numbers", "5.7.1.1", wordlist_is_refusal, NULL},
    {"letters", "5.7.x", wordlist_is_refusal, NULL},
    {"words behind it", "550 5.7.1 no", wordlist_is_refusal, NULL},
};

static void
test_parse(gconstpointer data)
{
	const struct parse *row = data;
	g_autofree char *list = wordlist_parse(row->text, row->is_word);

	g_assert_cmpstr(list, ==, row->list);
}

static void
test_has(void)
{
	static const char list[] = "5.7.54,550 5.4.5";

	g_assert_true(wordlist_has(list, "5.7.54"));
	g_assert_true(wordlist_has(list, "550 5.4.5"));
	g_assert_false(wordlist_has(list, "5.7.5"));
	g_assert_false(wordlist_has(list, "7.54"));
	g_assert_false(wordlist_has(list, "5.4.5"));
	g_assert_false(wordlist_has(list, ""));
	g_assert_false(wordlist_has(NULL, "5.7.54"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("parse", parses, test_parse);
	g_test_add_func("/has", test_has);
	return g_test_run();
}
