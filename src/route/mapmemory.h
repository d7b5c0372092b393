/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A text map that a process which looks up often keeps in memory, with an
 * index.
 */
#ifndef SMTPROUTE_MAPMEMORY_H
#define SMTPROUTE_MAPMEMORY_H

#include <glib.h>

#include "route/maptext.h"

/* Some 20,000 routes; what is larger belongs into an indexed table. */
#define MAPMEMORY_SIZE_MAX (1024 * 1024)

struct mapmemory;

struct mapmemory *
mapmemory_new(void);

/*
 * Holds the map @path as it is now, read again if it has changed.  FALSE: it
 * does not, since the file is too large, cannot be read, or has changed so
 * recently that the next change might not be seen.
 */
gboolean
mapmemory_load(struct mapmemory *memory, const char *path);

/* Holds this text, which becomes the memory's, until another one is loaded. */
void
mapmemory_fill(struct mapmemory *memory, char *text, gsize length);

/*
 * The entry for @key, a canonical domain, its parents and "*"; if @named, for
 * this key alone.  It points into the memory.  FALSE: there is none.
 */
gboolean
mapmemory_find(const struct mapmemory *memory, const char *key, gboolean named,
    struct maptext_entry *ret_entry);

void
mapmemory_free(struct mapmemory *memory);

#endif
