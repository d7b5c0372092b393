/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "util/trust.h"

/* On a read-only file system nobody changes anything. */
static gboolean
is_read_only(const char *path)
{
	struct statvfs st;

	return statvfs(path, &st) == 0 && (st.f_flag & ST_RDONLY) != 0;
}

static char *
owner_fault(const char *path, uid_t owner, uid_t user)
{
	if (user == 0)
		return g_strdup_printf("%s: owned by user %u; expected root",
		    path, (guint)owner);
	return g_strdup_printf("%s: owned by user %u; expected root or user %u",
	    path, (guint)owner, (guint)user);
}

/* One file, folder or link on the way. */
static char *
step_fault(const char *path, uid_t user)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return NULL;
	if (st.st_uid != 0 && st.st_uid != user)
		return is_read_only(path) ? NULL
					  : owner_fault(path, st.st_uid, user);
	/* A link's mode says nothing. */
	if (S_ISLNK(st.st_mode) || (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 ||
	    (S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX) != 0) ||
	    is_read_only(path))
		return NULL;
	return g_strdup_printf(
	    "%s: mode %04o lets others change it; expected no write access "
	    "for group and others",
	    path, (guint)(st.st_mode & 07777));
}

/* From the root on, so that the first fault is the highest. */
static char *
way_fault(const char *path, uid_t user)
{
	const char *at = path;

	while (at != NULL) {
		g_autofree char *step = NULL;
		char *fault;

		at = strchr(at + 1, '/');
		step = at != NULL ? g_strndup(path, (gsize)(at - path))
				  : g_strdup(path);
		fault = step_fault(step, user);
		if (fault != NULL)
			return fault;
	}
	return NULL;
}

char *
trust_fault(const char *path, uid_t user)
{
	g_autofree char *plain = g_canonicalize_filename(path, NULL);
	char *fault = way_fault(plain, user);
	char *real;

	if (fault != NULL)
		return fault;
	real = realpath(plain, NULL);
	if (real != NULL && strcmp(real, plain) != 0)
		fault = way_fault(real, user);
	free(real);
	return fault;
}
