/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secrets: passwords and tokens, in files that only we can read and memory
 * that is wiped.
 */
#ifndef SMTPROUTE_SECRET_H
#define SMTPROUTE_SECRET_H

#include <glib.h>

#define SECRET_ERROR (secret_error_quark())

enum secret_error {
	SECRET_ERROR_FILE,   /* cannot be read */
	SECRET_ERROR_UNSAFE, /* others can read it */
	SECRET_ERROR_CONTENT,
};

GQuark
secret_error_quark(void);

/*
 * The one line of the file @path, without its end; of 1 to @max bytes, with
 * no NUL among them.  The file is root's or ours, nobody else's to read or
 * write, but for the group that we are in (pipe(8) leaves us one): it may
 * read.
 *
 * Returns a new secret, or NULL with "path: reason".
 */
char *
secret_read(const char *path, gsize max, GError **error);

/* Is @path such a file?  FALSE with "path: reason". */
gboolean
secret_check(const char *path, GError **error);

/* A new secret of @length bytes of @text. */
char *
secret_new(const char *text, gsize length);

/* Wipes it and frees it. */
void
secret_free(char *secret);

/* For g_autoptr(), which wants one word. */
typedef char Secret;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Secret, secret_free)

/*
 * From now on this process leaves no core file, and nobody but root can look
 * into it.
 */
void
secret_protect(void);

/*
 * Clears what libraries may have left of secrets in memory that they have
 * freed: the heap's, and of this thread's stack what is not in use.
 */
void
secret_sweep(void);

#endif
