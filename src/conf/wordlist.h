/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words with commas between them, as a setting has them.
 */
#ifndef SMTPROUTE_WORDLIST_H
#define SMTPROUTE_WORDLIST_H

#include <glib.h>

/*
 * "Size, 8bitmime" as "SIZE,8BITMIME", a new string; blanks within a word
 * become one.  NULL: there is no word, or one that @is_word refuses.
 */
char *
wordlist_parse(const char *text, gboolean (*is_word)(const char *word));

/* @list: of wordlist_parse(), or NULL; @word: in capital letters. */
gboolean
wordlist_has(const char *list, const char *word);

/* A keyword of EHLO (RFC 5321 section 4.1.1.1). */
gboolean
wordlist_is_keyword(const char *word);

/* A refusal: "5.7.54", or with its code in front, "550 5.7.54". */
gboolean
wordlist_is_refusal(const char *word);

#endif
