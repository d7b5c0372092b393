/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "ctl/ctl.h"
#include "ctl/edit/original.h"
#include "route/routemap.h"
#include "util/autofd.h"
#include "util/pour.h"
#include "util/slurp.h"

/* FALSE, so that others can return it. */
static gboolean
refuse(const char *path, const char *reason)
{
	complain("%s: %s", path, reason);
	return FALSE;
}

/* Who replaces a file leaves the lock with the old one. */
static gboolean
is_current(struct original *original)
{
	struct stat st;

	return fstat(original->fd, &original->st) == 0 &&
	    stat(original->path, &st) == 0 &&
	    st.st_dev == original->st.st_dev &&
	    st.st_ino == original->st.st_ino;
}

static gboolean
take_lock(struct original *original)
{
	original->fd = open(original->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (original->fd < 0)
		return refuse(original->path, g_strerror(errno));
	if (flock(original->fd, LOCK_EX | LOCK_NB) < 0)
		return refuse(original->path,
		    errno == EWOULDBLOCK ? "somebody else edits it"
					 : g_strerror(errno));
	if (!is_current(original))
		return refuse(original->path, "changes just now; try again");
	return TRUE;
}

struct original *
original_open(const char *path)
{
	g_autoptr(Original) original = g_new0(struct original, 1);
	g_autofree char *reason = NULL;
	char *real = realpath(path, NULL);

	original->fd = -1;
	if (real == NULL) {
		complain("%s: %s", path, g_strerror(errno));
		return NULL;
	}
	original->path = g_strdup(real);
	free(real);
	if (!take_lock(original))
		return NULL;
	reason = slurp(original->path, ROUTEMAP_SIZE_MAX, &original->text,
	    &original->length);
	if (reason != NULL) {
		complain("%s: %s", path, reason);
		return NULL;
	}
	return g_steal_pointer(&original);
}

/* Owner first: it takes bits of the mode away. */
static gboolean
fill(int fd, const struct stat *like, const char *text, gsize length)
{
	return pour(fd, text, length) &&
	    fchown(fd, like->st_uid, like->st_gid) == 0 &&
	    fchmod(fd, like->st_mode & 07777) == 0 && fsync(fd) == 0;
}

/* A rename that the disk does not know of yet would be lost with the power. */
static void
sync_folder(const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	autofd fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		fsync(fd);
}

static gboolean
has_changed(const struct original *original)
{
	struct stat st;

	return stat(original->path, &st) < 0 ||
	    st.st_dev != original->st.st_dev ||
	    st.st_ino != original->st.st_ino ||
	    st.st_size != original->st.st_size ||
	    st.st_mtim.tv_sec != original->st.st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != original->st.st_mtim.tv_nsec;
}

gboolean
original_replace(const struct original *original, const char *text,
    gsize length)
{
	g_autofree char *path = g_strconcat(original->path, ".XXXXXX", NULL);
	autofd fd = -1;
	gboolean done;
	int code;

	if (has_changed(original))
		return refuse(original->path,
		    "was changed meanwhile by somebody else");
	fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return refuse(path, g_strerror(errno));
	done = fill(fd, &original->st, text, length) &&
	    rename(path, original->path) == 0;
	code = errno;
	if (!done) {
		unlink(path);
		return refuse(path, g_strerror(code));
	}
	sync_folder(original->path);
	return TRUE;
}

void
original_free(struct original *original)
{
	autofd_clear(&original->fd);
	g_free(original->path);
	g_free(original->text);
	g_free(original);
}
