/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pieces of a text, each with the place where it stands.
 */
#ifndef SMTPROUTE_CTL_IMPORT_TEXT_H
#define SMTPROUTE_CTL_IMPORT_TEXT_H

#include <glib.h>

#include "route/maptext.h"

/* A piece of the file, on one line. */
struct import_text {
	const char *at;
	gsize length;
	unsigned line;   /* from 1 */
	unsigned column; /* from 1, in bytes */
};

/* A new string.  NULL if it has a NUL inside. */
char *
import_dup(const struct import_text *text);

/* The first @count bytes of @text are cut off and returned. */
struct import_text
import_cut(struct import_text *text, gsize count);

/* A walk through the lines of a text, or the words of a value. */
struct import_walk {
	const char *at;
	const char *end;
	unsigned line;
	unsigned column;
};

void
import_walk_begin(struct import_walk *walk, const char *text, gsize length);

/* The next line without the blanks at its end; FALSE: there is none. */
gboolean
import_next_line(struct import_walk *walk, struct import_text *line);

/* The key and the words of an entry in the form of maptext.h. */
struct import_text
import_map_key(const struct maptext_entry *entry);

void
import_words_begin(struct import_walk *walk, const struct maptext_entry *entry);

/*
 * The next word, between blanks, commas and comments on lines of their own.
 * FALSE: there is none.
 */
gboolean
import_next_word(struct import_walk *walk, struct import_text *word);

#endif
