/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text form of a route map, Postfix's (postmap(1), util/readlline.c):
 * blank lines and comments are nothing, wherever they stand; a line that
 * begins with a blank continues the one before, and is nothing at the text's
 * beginning.  The ESA's "key:" is taken for "key".  A byte order mark is left
 * out, though not by Postfix.
 */
#ifndef SMTPROUTE_MAPTEXT_H
#define SMTPROUTE_MAPTEXT_H

#include <glib.h>

/* Where the walk through a text is. */
struct maptext {
	const char *at;
	const char *end;
	unsigned line; /* the last one taken, from 1 */
	gboolean records;
};

/*
 * An entry where there are no lines: this, the key, the value.  The last NUL
 * of each is not taken for a part of it.
 */
struct maptext_record {
	guint32 key_length;
	guint32 value_length;
};

/* All pointers are into the text. */
struct maptext_entry {
	const char *key;
	gsize key_length;
	gboolean ascii;    /* is the key? */
	gboolean colon;    /* was it written "key:"? */
	const char *value; /* what is behind the key, its blanks included */
	gsize value_length;
	gboolean has_value; /* is there more than blanks and comments? */
	unsigned line;      /* of the key; 0: the map has no lines */
	unsigned column;    /* where the value begins, from 1, in bytes */
};

void
maptext_begin(struct maptext *text, const char *at, gsize length);

/* The same for records, which must be whole. */
void
maptext_begin_records(struct maptext *text, const char *at, gsize length);

/* FALSE: there is no further entry. */
gboolean
maptext_next(struct maptext *text, struct maptext_entry *entry);

#endif
