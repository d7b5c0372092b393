/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a file is still what it was.
 */
#ifndef SMTPROUTE_UNCHANGED_H
#define SMTPROUTE_UNCHANGED_H

#include <glib.h>
#include <sys/stat.h>

/* Is it the same file, whatever was written to it? */
gboolean
unchanged_file(const struct stat *before, const struct stat *now);

/*
 * A change of the time of change is one, whoever sets that of the content.
 * Some file systems tell it to the second only.
 */
gboolean
unchanged(const struct stat *before, const struct stat *now);

/*
 * Is @path still the name of the same file, whatever was written to it?  A link
 * is another one, also if it leads there: O_NOFOLLOW would not open it.
 */
gboolean
unchanged_name(const struct stat *before, const char *path);

#endif
