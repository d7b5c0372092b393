/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory into a file that takes it as fast as it can: the opposite of slurp.h.
 */
#ifndef SMTPROUTE_POUR_H
#define SMTPROUTE_POUR_H

#include <glib.h>

/*
 * Writes all of @data to @fd, which blocks.  FALSE: errno has the reason, and
 * some of it may be written.
 */
gboolean
pour(int fd, const void *data, gsize length);

#endif
