/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lookups in an lmdb map.  postmap(1) leaves keys as they are written, but in
 * lower case; so every form that the text map takes for a key is looked for.
 */
#ifndef SMTPROUTE_MAPINDEX_H
#define SMTPROUTE_MAPINDEX_H

#include <glib.h>

#include "route/maptext.h"

/* A longer value is no route: its hosts are too many. */
#define MAPINDEX_VALUE_MAX (1024 * 1024)

/*
 * The entry of @map ("lmdb:path") for @key, a canonical domain, its parents
 * and "*"; if @named, for this key alone.  Of several forms of one key that
 * without a colon or a final dot counts.
 *
 * *ret_entry points into *ret_text, a new string; NULL: there is none.
 * Returns NULL, or what is wrong with the file, as maplmdb_read() does.
 */
char *
mapindex_find(const char *map, const char *key, gboolean named, char **ret_text,
    struct maptext_entry *ret_entry);

#endif
