/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading route tables of other mailers: what the readers of the formats,
 * one file each beside import.c, have in common.
 *
 * Every entry of a file ends as a route or as a fault, never as nothing.
 * A value may hold a password, so only text that cannot be one is shown.
 */
#ifndef SMTPROUTE_CTL_IMPORT_H
#define SMTPROUTE_CTL_IMPORT_H

#include <glib.h>

#include "route/maptext.h"

/* A piece of the file, on one line. */
struct import_text {
	const char *at;
	gsize length;
	unsigned line;   /* from 1 */
	unsigned column; /* from 1, in bytes */
};

struct import_entry {
	unsigned line;
	char *key;       /* as the route map has it, NULL: it is at fault */
	char *shown;     /* the key in ASCII, for messages */
	char *value;     /* NULL: left out, and the next two are set */
	char *fault;     /* for people, with file and line */
	const char *why; /* in short, without any text of the file's */
};

struct import {
	const char *name; /* the file's, printable */
	const struct import_format *format;
	GPtrArray *entries;
	GHashTable *keys; /* what equal keys have in common -> entry */
};

/* What a format says of a line, by its looks. */
enum import_claim {
	CLAIM_NO,
	CLAIM_MAYBE,
	CLAIM_SURE, /* no other format has such lines */
};

struct import_format {
	const char *name;
	const char *any;    /* its key for everything else */
	const char *keys;   /* what is expected of a key, for messages */
	gboolean last_wins; /* of equal keys; otherwise the first does */
	gboolean lenient;   /* of "any" in lower case, and final dots */
	enum import_claim (*claim)(const char *head, const char *rest);
	void (*read)(struct import *import, const char *text, gsize length);
};

extern const struct import_format import_esa;
extern const struct import_format import_qmail;
extern const struct import_format import_mailertable;
extern const struct import_format import_transport;

/*
 * The format that a text is in, by its lines; NULL: none, or several would
 * do.  import_guess.c has the rules.
 */
const struct import_format *
import_guess(const char *text, gsize length);

/*
 * A new entry.  NULL: its key is at fault, or counts as given in another
 * entry, which is seen to; the rest of the entry is not to be looked at.
 */
struct import_entry *
import_begin(struct import *import, const struct import_text *key);

/* An entry without anything that could be its key: import_fault() it. */
struct import_entry *
import_begin_keyless(struct import *import, unsigned line);

/* One of the next four ends what import_begin() began. */

/*
 * The entry's value, of which the entry becomes owner, is a route; or at
 * fault after all, if route_parse() says so.
 */
void
import_value(struct import *import, struct import_entry *entry, char *value);

/* "file:line:column: what; expected ..."; @what is static. */
void
import_fault(struct import *import, struct import_entry *entry,
    const struct import_text *where, const char *what, const char *expected);

/* What route_parse() found, of text that cannot be a password. */
void
import_error(struct import_entry *entry, const GError *error);

/* "file:line: key: cannot be said here: why"; @why is static. */
void
import_unsaid(struct import *import, struct import_entry *entry,
    const char *why);

/* Hosts of an entry, of levels that are tried one after another, from 0. */
struct import_hosts {
	GString *value; /* a route so far */
	guint count;
	guint level;    /* of the next one */
	gboolean alone; /* there will be one only */
};

/*
 * Adds a host, as the route map has it: one, no keyword, no options.
 * Otherwise the entry is at fault, and FALSE.
 */
gboolean
import_add_host(struct import *import, struct import_entry *entry,
    const struct import_text *where, const char *host,
    struct import_hosts *hosts);

/* Is this a key of the format? */
gboolean
import_is_key(const struct import_format *format, const char *text);

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

/* Every line but the empty ones and those that begin with '#'. */
void
import_each_line(struct import *import, const char *text, gsize length,
    void (*read_line)(struct import *import, struct import_text *line));

/*
 * Every entry of a text in the form of maptext.h; reports the lines that say
 * something and belong to none.
 */
void
import_each_entry(struct import *import, const char *text, gsize length,
    void (
	*read_entry)(struct import *import, const struct maptext_entry *entry));

#endif
