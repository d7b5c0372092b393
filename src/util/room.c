/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <sys/statvfs.h>

#include <glib.h>

#include "util/room.h"

const char *
room_trouble(const char *path)
{
	struct statvfs st;

	if (statvfs(path, &st) < 0)
		return NULL;
	if ((st.f_flag & ST_RDONLY) != 0)
		return g_strerror(EROFS);
	/* Devices and such have no blocks, and some file systems no inodes. */
	if ((st.f_blocks > 0 && st.f_bavail == 0) ||
	    (st.f_files > 0 && st.f_favail == 0))
		return g_strerror(ENOSPC);
	return NULL;
}
