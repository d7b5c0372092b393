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

/* Who may read a file with a secret, besides root and us. */
enum secret_modes {
	SECRET_STRICT, /* the group that we are in: pipe(8) leaves us one */
	SECRET_SHARED, /* anybody: in a container nobody else is there, and
			* Docker and Kubernetes have modes of 0444 and 0644 */
};

/*
 * The one line of the file @path, without its end; of 1 to @max bytes, with
 * no NUL among them.  The file is root's or ours, nobody else's to write, and
 * to read for those only that @modes lets.
 *
 * Returns a new secret, or NULL with "path: reason".
 */
char *
secret_read(const char *path, gsize max, enum secret_modes modes,
    GError **error);

/* Is @path such a file?  FALSE with "path: reason". */
gboolean
secret_check(const char *path, enum secret_modes modes, GError **error);

/* Opens such a file, to read.  -1 with "path: reason". */
int
secret_open(const char *path, enum secret_modes modes, GError **error);

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
