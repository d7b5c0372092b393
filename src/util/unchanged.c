/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "util/unchanged.h"

gboolean
unchanged_file(const struct stat *before, const struct stat *now)
{
	return before->st_dev == now->st_dev && before->st_ino == now->st_ino;
}

gboolean
unchanged(const struct stat *before, const struct stat *now)
{
	return unchanged_file(before, now) && before->st_size == now->st_size &&
	    before->st_ctim.tv_sec == now->st_ctim.tv_sec &&
	    before->st_ctim.tv_nsec == now->st_ctim.tv_nsec;
}

gboolean
unchanged_name(const struct stat *before, const char *path)
{
	struct stat now;

	return lstat(path, &now) == 0 && unchanged_file(before, &now);
}
