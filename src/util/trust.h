/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that nobody but root and one user can change.
 */
#ifndef SMTPROUTE_TRUST_H
#define SMTPROUTE_TRUST_H

#include <sys/types.h>

#include <glib.h>

/*
 * Who else could change what @path leads to: by the file's
 * owner and mode, or by those of a folder on the way, in the path as it stands
 * and, if there are links in it, in the one that they lead to.  A folder like
 * /tmp, whose sticky bit keeps others from renaming, is all right.
 *
 * Returns NULL if nobody can, or if it is not there; otherwise
 * "path: reason; expected ...", a new string.
 */
char *
trust_fault(const char *path, uid_t user);

#endif
