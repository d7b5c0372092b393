/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A state folder for a test, its file, and children that work on it.
 */
#ifndef SMTPROUTE_STATEFOLDER_H
#define SMTPROUTE_STATEFOLDER_H

#include <sys/types.h>

#include <glib.h>

struct statefolder {
	char *folder;
	char *path; /* of the file, which is not there yet */
};

void
statefolder_make(struct statefolder *place);

/* Removes the folder and all in it, if there is one. */
void
statefolder_remove(struct statefolder *place);

/* For g_auto(), which wants one word. */
typedef struct statefolder Statefolder;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Statefolder, statefolder_remove)

/* The file's content; what does not work fails the test. */
char *
statefolder_read(const struct statefolder *place, gsize *length);

/* Writes over what is there. */
void
statefolder_write(const struct statefolder *place, const void *content,
    gsize length);

/* Runs @work(@data) in a child that exits with what it returns. */
pid_t
statefolder_fork(int (*work)(const void *data), const void *data);

/* Waits for its end.  The exit status, or 128 and the signal. */
int
statefolder_wait(pid_t pid);

/* Both. */
int
statefolder_run(int (*work)(const void *data), const void *data);

#endif
