/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text that is edited: locked against a second editor, and replaced in one
 * step or not at all.
 */
#ifndef SMTPROUTE_CTL_EDIT_ORIGINAL_H
#define SMTPROUTE_CTL_EDIT_ORIGINAL_H

#include <sys/stat.h>

#include <glib.h>

struct original {
	char *path; /* where links lead to */
	char *text;
	gsize length;
	struct stat st;
	int fd; /* holds the lock */
};

/* NULL: complain() has said why, also that somebody else edits it. */
struct original *
original_open(const char *path);

/*
 * Puts @text in its place, with its owner and mode.  FALSE: complain() has
 * said why, and the file is as it was: also if it was changed meanwhile.
 */
gboolean
original_replace(const struct original *original, const char *text,
    gsize length);

void
original_free(struct original *original);

/* For g_autoptr(), which wants one word. */
typedef struct original Original;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Original, original_free)

#endif
