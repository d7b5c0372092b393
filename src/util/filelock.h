/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flock(2) with a time-out.
 */
#ifndef SMTPROUTE_FILELOCK_H
#define SMTPROUTE_FILELOCK_H

#include <glib.h>

/*
 * Locks @fd, LOCK_SH or LOCK_EX, waiting for @span microseconds at most.
 * Returns an errno: 0, or EWOULDBLOCK if others had it all the time.
 */
int
filelock_take(int fd, int operation, gint64 span);

#endif
