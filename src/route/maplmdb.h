/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file behind "lmdb:path", path.lmdb, as postmap(1) makes and changes it
 * (Postfix's util/dict_lmdb.c): one database without a name, no lock file of
 * LMDB's own.
 *
 * postmap changes it in place, in one transaction, so a reader has the map of
 * before or that of after.  Nothing is locked: readers that take turns with
 * the lock of Postfix's own (fcntl(2)) could keep postmap waiting for ever.
 * What was read while the map changed twice is read again.
 */
#ifndef SMTPROUTE_MAPLMDB_H
#define SMTPROUTE_MAPLMDB_H

#include <glib.h>

#include <lmdb.h>

/* Is it the name of such a map, rather than the path of a text? */
gboolean
maplmdb_is(const char *map);

/* The file's path, a new string. */
char *
maplmdb_file(const char *map);

/*
 * Looks at the map by @cursor, which is nowhere at @first.  It is run guarded
 * (guard_try()), so a step takes no more than a second, and what it has begun
 * may never end.  Returns an errno or one of LMDB's numbers; MDB_NOTFOUND is
 * none.  With *more set it is called again, for the next step; with @first
 * again, if the map was not to be read the time before.
 */
typedef int
maplmdb_step(MDB_cursor *cursor, gboolean first, gboolean *more, void *data);

/*
 * Reads the map, as it is at one moment.  Returns NULL, or what is wrong with
 * it, a new string that begins with the file's path.
 */
char *
maplmdb_read(const char *map, maplmdb_step *step, void *data);

#endif
