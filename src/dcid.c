/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autofd.h"
#include "dcid.h"

/*
 * The counter of all processes, in the file's first eight bytes.  Space on
 * the disk is set aside before the file is mapped: a full disk would be a
 * SIGBUS otherwise.
 */
static guint64 *
map_counter(int fd)
{
	struct stat st;
	void *map;
	int code;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (st.st_size < (off_t)sizeof(guint64) &&
	    (code = posix_fallocate(fd, 0, sizeof(guint64))) != 0) {
		errno = code;
		return NULL;
	}
	map = mmap(NULL, sizeof(guint64), PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	return map == MAP_FAILED ? NULL : map;
}

guint64
dcid_next(const char *state_directory, GError **error)
{
	g_autofree char *path = NULL;
	autofd fd = -1;
	guint64 *counter = NULL;
	guint64 dcid;

	path = g_build_filename(state_directory, "dcid", NULL);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd >= 0)
		counter = map_counter(fd);
	if (counter == NULL) {
		int code = errno;

		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code),
		    "%s: %s", path, g_strerror(code));
		return 0;
	}
	dcid = __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
	munmap(counter, sizeof(*counter));
	return dcid;
}
