/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "conf/wordlist.h"

/* Without blanks around it, one for many within it, in capital letters. */
static char *
canonical(const char *text)
{
	g_auto(GStrv) parts = g_strsplit_set(text, " \t", -1);
	g_autoptr(GString) word = g_string_new(NULL);

	for (gsize i = 0; parts[i] != NULL; i++) {
		if (parts[i][0] == '\0')
			continue;
		g_string_append_printf(word, "%s%s", word->len > 0 ? " " : "",
		    parts[i]);
	}
	return g_ascii_strup(word->str, -1);
}

char *
wordlist_parse(const char *text, gboolean (*is_word)(const char *word))
{
	g_auto(GStrv) words = g_strsplit(text, ",", -1);
	g_autoptr(GString) list = g_string_new(NULL);

	for (gsize i = 0; words[i] != NULL; i++) {
		g_autofree char *word = canonical(words[i]);

		if (!is_word(word))
			return NULL;
		g_string_append_printf(list, "%s%s", i > 0 ? "," : "", word);
	}
	return list->len > 0 ? g_strdup(list->str) : NULL;
}

gboolean
wordlist_has(const char *list, const char *word)
{
	gsize length = strlen(word);

	while (list != NULL) {
		const char *comma = strchr(list, ',');
		gsize span = strcspn(list, ",");

		if (span == length && memcmp(list, word, length) == 0)
			return TRUE;
		list = comma != NULL ? comma + 1 : NULL;
	}
	return FALSE;
}

gboolean
wordlist_is_keyword(const char *word)
{
	if (!g_ascii_isalnum(word[0]))
		return FALSE;
	for (const char *p = word; *p != '\0'; p++)
		if (!g_ascii_isalnum(*p) && *p != '-')
			return FALSE;
	return TRUE;
}

/* Digits, at most three, where *p is; then *p is behind them. */
static gboolean
skip_number(const char **p)
{
	gsize length = strspn(*p, "0123456789");

	*p += length;
	return length >= 1 && length <= 3;
}

/* RFC 3463 section 2: a failure for good. */
gboolean
wordlist_is_refusal(const char *word)
{
	const char *p = word;

	if (strspn(p, "0123456789") == 3 && p[0] == '5' && p[3] == ' ')
		p += 4;
	if (p[0] != '5' || p[1] != '.')
		return FALSE;
	p += 2;
	if (!skip_number(&p) || *p++ != '.' || !skip_number(&p))
		return FALSE;
	return *p == '\0';
}
