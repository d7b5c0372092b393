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

/* One file, folder or link on the way; *is_link: it is one. */
static char *
step_fault(const char *path, uid_t user, gboolean *is_link)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return NULL;
	*is_link = S_ISLNK(st.st_mode);
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

/*
 * From the root on, so that the first fault is the highest.  *ret_link: there
 * are links on the way.
 */
static char *
way_fault(const char *path, uid_t user, gboolean *ret_link)
{
	const char *at = path;

	*ret_link = FALSE;
	while (at != NULL) {
		g_autofree char *step = NULL;
		gboolean is_link = FALSE;
		char *fault;

		at = strchr(at + 1, '/');
		step = at != NULL ? g_strndup(path, (gsize)(at - path))
				  : g_strdup(path);
		fault = step_fault(step, user, &is_link);
		if (fault != NULL)
			return fault;
		*ret_link = *ret_link || is_link;
	}
	return NULL;
}

char *
trust_fault(const char *path, uid_t user)
{
	g_autofree char *plain = g_canonicalize_filename(path, NULL);
	gboolean links;
	char *fault = way_fault(plain, user, &links);
	char *real;

	if (fault != NULL || !links)
		return fault;
	real = realpath(plain, NULL);
	if (real != NULL && strcmp(real, plain) != 0)
		fault = way_fault(real, user, &links);
	free(real);
	return fault;
}
