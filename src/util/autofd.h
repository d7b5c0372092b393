/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A descriptor that closes itself at the end of its scope; -1 is none.
 * (GLib has g_autofd since 2.76, which is newer than what we build on.)
 */
#ifndef SMTPROUTE_AUTOFD_H
#define SMTPROUTE_AUTOFD_H

#include <unistd.h>

static inline void
autofd_clear(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline int
autofd_steal(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

#define autofd __attribute__((cleanup(autofd_clear))) int

#endif
