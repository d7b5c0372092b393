/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries of a route table of another mailer, as the readers of the formats
 * make them.
 *
 * Every entry of a file ends as a route or as a fault, never as nothing.
 * A value may hold a password, so only text that cannot be one is shown.
 */
#ifndef SMTPROUTE_CTL_IMPORT_ENTRY_H
#define SMTPROUTE_CTL_IMPORT_ENTRY_H

#include <glib.h>

#include "ctl/import/import-format.h"
#include "ctl/import/import-text.h"

struct import_entry {
	unsigned line;
	char *key;       /* as the route map has it, NULL: it is at fault */
	char *shown;     /* the key in ASCII, for messages */
	char *value;     /* NULL: left out, and the next two are set */
	char *fault;     /* for people, with file and line */
	const char *why; /* in short, without any text of the file's */
	/* If it was left out for its password: */
	char *relay; /* as the route map has it, NULL: it was not */
	char *user;  /* printable */
};

struct import {
	const char *name; /* the file's, printable */
	const struct import_format *format;
	GPtrArray *entries;
	GHashTable *keys; /* what equal keys have in common -> entry */
};

/*
 * A new entry.  NULL: its key is at fault, or counts as given in another
 * entry, which is seen to; the rest of the entry is not to be looked at.
 */
struct import_entry *
import_begin(struct import *import, const struct import_text *key);

/* An entry without anything that could be its key: import_fault() it. */
struct import_entry *
import_begin_keyless(struct import *import, unsigned line);

/* One of the next five ends what import_begin() began. */

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

/*
 * The same for one that has a user and a password: what takes its place is
 * written behind the routes.  The entry becomes owner of @relay and @user.
 */
void
import_login(struct import *import, struct import_entry *entry, const char *why,
    char *relay, char *user);

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

#endif
