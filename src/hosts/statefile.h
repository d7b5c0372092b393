/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of the shared state: a small LMDB database that any process may
 * read and change, one at a time.
 *
 * It is a cache.  Who cannot have it within a moment goes without, and what
 * is damaged, of another version or full is begun anew.
 */
#ifndef SMTPROUTE_STATEFILE_H
#define SMTPROUTE_STATEFILE_H

#include <glib.h>

/* Its name in the state folder. */
#define STATEFILE_NAME "hosts.mdb"

#define STATEFILE_ERROR (statefile_error_quark())

enum statefile_error {
	STATEFILE_ERROR_FAILED, /* "path: reason", as for the next one */
	STATEFILE_ERROR_ABSENT, /* nothing has been written yet */
};

GQuark
statefile_error_quark(void);

struct statefile;

/* What the work of statefile_run() sees of it. */
struct statefile_view;

/* Costs nothing until it is used. */
struct statefile *
statefile_new(const char *directory);

enum statefile_access {
	STATEFILE_READ,
	STATEFILE_WRITE,
};

/*
 * Runs @work with the file to itself.  It may be run again on a file begun
 * anew.  FALSE with an error: nothing was kept of what it put.
 *
 * It may take 5 s until another process lets go of the file, and a few more if
 * it is damaged.
 *
 * A damaged file may end @work in the middle; what it has allocated is lost
 * then.
 */
gboolean
statefile_run(struct statefile *file, enum statefile_access access,
    void (*work)(struct statefile_view *view, void *data), void *data,
    GError **error);

/*
 * The value of a key; NULL: there is none of this size.  It is gone with the
 * next change.
 */
const void *
statefile_get(struct statefile_view *view, const char *key, gsize size);

/* The same for values of any size. */
const void *
statefile_get_any(struct statefile_view *view, const char *key, gsize *size);

void
statefile_put(struct statefile_view *view, const char *key, const void *value,
    gsize size);

void
statefile_delete(struct statefile_view *view, const char *key);

/*
 * The first key that is not less than @from, and its value; NULL: there is
 * none.  The key ends with a NUL.
 */
const char *
statefile_seek(struct statefile_view *view, const char *from,
    const void **value, gsize *size);

/* What to seek from for the key that comes after @key, a new string. */
char *
statefile_after(const char *key);

/* A key of what is kept of one host: @prefix, name and port; a new string. */
char *
statefile_host_key(const char *prefix, const char *name, guint16 port);

/* For ticket_take(): a descriptor that stays open; -1: none. */
int
statefile_ticket_fd(struct statefile *file);

/*
 * Closes it if it is open for another file, since removed or replaced: nobody
 * looks for tickets there any more.  TRUE: it did.
 */
gboolean
statefile_drop_ticket(struct statefile_view *view);

/* For ticket_is_alive(), while work runs. */
int
statefile_lock_fd(const struct statefile_view *view);

/* Why it was begun anew, if it was; NULL: it was not.  The caller's. */
char *
statefile_take_notice(struct statefile *file);

void
statefile_free(struct statefile *file);

/* For g_autoptr(), which wants one word. */
typedef struct statefile Statefile;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Statefile, statefile_free)

#endif
