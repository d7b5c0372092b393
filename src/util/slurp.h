/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole file in memory.
 */
#ifndef SMTPROUTE_SLURP_H
#define SMTPROUTE_SLURP_H

#include <glib.h>

/*
 * Reads the regular file @path, of at most @max bytes, as long as it is
 * when it is opened: what is appended meanwhile may be half a line.
 * *ret_text is a new string, with a NUL behind its *ret_length bytes.
 *
 * Returns NULL, or what is wrong with the file, a new string.
 */
char *
slurp(const char *path, gsize max, char **ret_text, gsize *ret_length);

#endif
