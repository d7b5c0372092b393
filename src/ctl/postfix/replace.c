/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/postfix/replace.h"
#include "util/autofd.h"
#include "util/pour.h"

static gboolean
fail(const char *path, int code, GError **error)
{
	g_set_error(error, COMMAND_ERROR, COMMAND_ERROR_FAILED, "%s: %s", path,
	    code == EWOULDBLOCK ? "another program is editing"
				: g_strerror(code));
	return FALSE;
}

/*
 * Opens "main.cf.tmp", whose lock says who edits main.cf, empty and private.
 * -1: see errno.
 */
static int
open_locked(const char *path)
{
	autofd fd = open(path,
	    O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	struct stat locked;
	struct stat named;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 ||
	    fstat(fd, &locked) < 0 || lstat(path, &named) < 0)
		return -1;
	/* Who had the lock before has renamed it. */
	if (locked.st_ino != named.st_ino || locked.st_dev != named.st_dev) {
		errno = EWOULDBLOCK;
		return -1;
	}
	if (!S_ISREG(locked.st_mode) || locked.st_uid != geteuid()) {
		errno = EPERM;
		return -1;
	}
	if (fchmod(fd, 0600) < 0 || ftruncate(fd, 0) < 0)
		return -1;
	return autofd_steal(&fd);
}

static gboolean
write_all(int fd, GBytes *text)
{
	gsize length;
	const char *data = g_bytes_get_data(text, &length);

	return pour(fd, data, length) && fsync(fd) == 0;
}

/* Does the file @fd still have this text?  FALSE: see errno. */
static gboolean
has_text(int fd, GBytes *was)
{
	gsize length;
	const char *text = g_bytes_get_data(was, &length);
	g_autofree char *now = g_malloc(length + 1);
	gsize done = 0;
	gssize count;

	do {
		count = read(fd, now + done, length + 1 - done);
		done += count > 0 ? (gsize)count : 0;
	} while (
	    (count > 0 && done <= length) || (count < 0 && errno == EINTR));
	if (count < 0)
		return FALSE;
	errno = EWOULDBLOCK;
	return done == length && memcmp(now, text, length) == 0;
}

/* To @fd, and as the file @old is. */
static gboolean
write_like(int fd, int old, GBytes *text)
{
	struct stat st;

	return write_all(fd, text) && fstat(old, &st) == 0 &&
	    ((st.st_uid == geteuid() && st.st_gid == getegid()) ||
		fchown(fd, st.st_uid, st.st_gid) == 0) &&
	    fchmod(fd, st.st_mode & 07777) == 0;
}

gboolean
replace_file(const char *path, GBytes *text, GBytes *was, GError **error)
{
	g_autofree char *temporary = g_strconcat(path, ".tmp", NULL);
	autofd fd = open_locked(temporary);
	autofd old = -1;

	if (fd < 0)
		return fail(temporary, errno, error);
	old = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (old < 0 || !has_text(old, was) || !write_like(fd, old, text) ||
	    rename(temporary, path) < 0) {
		int code = errno;

		unlink(temporary);
		return fail(path, code, error);
	}
	return TRUE;
}
