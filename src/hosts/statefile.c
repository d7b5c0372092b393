/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LMDB does without its own locks here (MDB_NOLOCK): they have no time-out,
 * a process stopped in the midst of a change would hold up all mail, and a
 * table of readers is one more thing that can be full or stale.  flock(2) on
 * the data file serves both readers and writers; nothing is read or written
 * without it.
 *
 * Nothing is synchronized with the disk: what a power failure leaves behind
 * is either sound or begun anew.
 */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lmdb.h>

#include "hosts/rescue.h"
#include "hosts/statefault.h"
#include "hosts/statefile.h"
#include "hosts/stateview.h"
#include "util/autofd.h"
#include "util/filelock.h"
#include "util/guard.h"
#include "util/unchanged.h"

/*
 * The layout of what hoststate.c puts into it.  A file with another one is
 * begun anew.
 */
#define LAYOUT     "smtproute 5"
#define LAYOUT_KEY "layout"

/* Some 200,000 hosts; only what is used takes space.  LMDB's own is less. */
#define MAP_SIZE (256 * 1024 * 1024)

/* A change takes some 0.1 ms; 200 processes at once must not give up. */
#define LOCK_SPAN (5 * G_USEC_PER_SEC)

#define OPEN_TRIES 10

/* What is open in this process, by number (proc(5)). */
#define DESCRIPTORS "/proc/self/fd"

struct statefile {
	char *path;
	char *notice;
	int fd;             /* to lock it by, -1: not open */
	struct stat opened; /* what that is open for */
	gboolean write;
	MDB_env *env;         /* of the same file, NULL: not open */
	gboolean crashed;     /* a process did; the one before was set aside */
	GPtrArray *orders;    /* for the next one (rescue.h), NULL: none */
	int ticket_fd;        /* -1: not open */
	struct stat ticketed; /* what that is open for */
};

G_DEFINE_QUARK(smtproute_statefile_error, statefile_error)

struct statefile *
statefile_new(const char *directory)
{
	struct statefile *file = g_new0(struct statefile, 1);

	file->path = g_build_filename(directory, STATEFILE_NAME, NULL);
	file->fd = -1;
	file->ticket_fd = -1;
	return file;
}

static void
close_file(struct statefile *file)
{
	if (file->env != NULL)
		mdb_env_close(file->env);
	file->env = NULL;
	autofd_clear(&file->fd);
}

void
statefile_free(struct statefile *file)
{
	if (file == NULL)
		return;
	close_file(file);
	autofd_clear(&file->ticket_fd);
	g_clear_pointer(&file->orders, g_ptr_array_unref);
	g_free(file->path);
	g_free(file->notice);
	g_free(file);
}

char *
statefile_take_notice(struct statefile *file)
{
	return g_steal_pointer(&file->notice);
}

static int
open_file(const char *path, gboolean write)
{
	int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

	return open(path, flags | (write ? O_RDWR | O_CREAT : O_RDONLY), 0640);
}

/*
 * Whoever wrote the file can lead LMDB, which believes it, where they like.
 * It is ours or root's; a reader who is another user trusts the folder's
 * owner, the agent as a rule.
 */
static gboolean
is_trusted(const struct statefile *file, const struct stat *st)
{
	g_autofree char *folder = g_path_get_dirname(file->path);
	struct stat above;

	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return FALSE;
	if (st->st_uid == geteuid() || st->st_uid == 0)
		return TRUE;
	return !file->write && geteuid() != 0 && stat(folder, &above) == 0 &&
	    above.st_uid == st->st_uid;
}

int
statefile_ticket_fd(struct statefile *file)
{
	if (file->ticket_fd >= 0)
		return file->ticket_fd;
	file->ticket_fd = open_file(file->path, TRUE);
	if (file->ticket_fd >= 0 &&
	    (fstat(file->ticket_fd, &file->ticketed) < 0 ||
		!is_trusted(file, &file->ticketed)))
		autofd_clear(&file->ticket_fd);
	return file->ticket_fd;
}

gboolean
statefile_drop_ticket(struct statefile_view *view)
{
	struct statefile *file = view->file;

	if (file->ticket_fd < 0 ||
	    unchanged_file(&file->ticketed, &file->opened))
		return FALSE;
	autofd_clear(&file->ticket_fd);
	return TRUE;
}

/* Opens the file, unless it is open.  Returns a code of statefault.h. */
static int
reopen(struct statefile *file, gboolean write)
{
	if (file->fd >= 0 && file->write == write)
		return 0;
	close_file(file);
	file->write = write;
	file->fd = open_file(file->path, write);
	if (file->fd < 0 || fstat(file->fd, &file->opened) < 0)
		return errno;
	if (!S_ISREG(file->opened.st_mode))
		return EINVAL;
	return is_trusted(file, &file->opened) ? 0 : STATEFAULT_UNSAFE;
}

/* Locks the file, whichever now has its name.  Returns the same. */
static int
open_locked(struct statefile *file, gboolean write)
{
	for (int i = 0; i < OPEN_TRIES; i++) {
		int code = reopen(file, write);

		if (code == 0)
			code = filelock_take(file->fd,
			    write ? LOCK_EX : LOCK_SH, LOCK_SPAN);
		if (code != 0)
			return code;
		if (unchanged_name(&file->opened, file->path))
			return 0;
		close_file(file);
	}
	return EWOULDBLOCK;
}

/* Has nothing been written yet? */
static gboolean
is_empty(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_size == 0;
}

int
statefile_lock_fd(const struct statefile_view *view)
{
	return view->file->fd;
}

static void
begin_anew(struct statefile_view *view)
{
	struct statefile *file = view->file;

	if (!file->write)
		return;
	statefile_put(view, LAYOUT_KEY, LAYOUT, sizeof(LAYOUT));
	if (file->orders != NULL)
		rescue_restore(view, file->orders);
	if (file->crashed && file->notice == NULL)
		file->notice = g_strdup_printf("%s was set aside after a crash",
		    file->path);
}

/* A file without an entry is a new one. */
static void
check_layout(struct statefile_view *view)
{
	const char *layout;
	MDB_stat stat;

	if (!stateview_note(view, mdb_stat(view->txn, view->dbi, &stat)))
		return;
	if (stat.ms_entries == 0) {
		begin_anew(view);
		return;
	}
	layout = statefile_get(view, LAYOUT_KEY, sizeof(LAYOUT));
	if (layout == NULL || memcmp(layout, LAYOUT, sizeof(LAYOUT)) != 0)
		stateview_note(view, STATEFAULT_OTHER_LAYOUT);
}

static void
run_transaction(struct statefile_view *view)
{
	gboolean write = view->file->write;

	if (!stateview_note(view,
		mdb_txn_begin(view->file->env, NULL, write ? 0 : MDB_RDONLY,
		    &view->txn)))
		return;
	if (stateview_note(view, mdb_dbi_open(view->txn, NULL, 0, &view->dbi)))
		check_layout(view);
	if (view->code == 0)
		view->work(view, view->data);
	if (view->code == 0 && write)
		stateview_note(view, mdb_txn_commit(view->txn));
	else
		mdb_txn_abort(view->txn);
}

/* For LMDB: the very file that was looked at, whatever now has its name. */
static char *
opened_name(int fd, const char *path)
{
	return access(DESCRIPTORS, X_OK) == 0
	    ? g_strdup_printf(DESCRIPTORS "/%d", fd)
	    : g_strdup(path);
}

static gboolean
open_env(struct statefile_view *view)
{
	struct statefile *file = view->file;
	unsigned flags = MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC |
	    MDB_NORDAHEAD | (file->write ? 0 : MDB_RDONLY);
	g_autofree char *name = NULL;

	if (file->env != NULL)
		return TRUE;
	name = opened_name(file->fd, file->path);
	return stateview_note(view, mdb_env_create(&file->env)) &&
	    stateview_note(view, mdb_env_set_mapsize(file->env, MAP_SIZE)) &&
	    stateview_note(view, mdb_env_open(file->env, name, flags, 0640)) &&
	    stateview_note(view,
		unchanged_name(&file->opened, file->path) ? 0 : EAGAIN);
}

/* For guard_try(): whatever LMDB makes of the file. */
static void
run_view(void *data)
{
	struct statefile_view *view = data;

	if (open_env(view))
		run_transaction(view);
}

static int
run_once(struct statefile *file, const struct statefile_view *work)
{
	struct statefile_view view = *work;

	if (!guard_try(run_view, &view)) {
		/* Nobody knows what is left of it. */
		file->env = NULL;
		return STATEFAULT_CRASHED;
	}
	return view.code;
}

/* What was set aside is believed on the same terms as what is in use. */
static void
rescue(struct statefile *file, const char *path)
{
	autofd fd = open_file(path, FALSE);
	g_autofree char *name = opened_name(fd, path);
	struct stat st;

	g_clear_pointer(&file->orders, g_ptr_array_unref);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    is_trusted(file, &st))
		file->orders = rescue_orders(name, LAYOUT_KEY, LAYOUT);
}

/* As it says, or on a file begun anew. */
static int
run_or_begin_anew(struct statefile *file, const struct statefile_view *view)
{
	int code = run_once(file, view);

	if (!statefault_is_damage(code, MAP_SIZE) || !file->write ||
	    is_empty(file->fd))
		return code;
	if (file->env != NULL)
		mdb_env_close(file->env);
	file->env = NULL;
	rescue(file, file->path);
	if (ftruncate(file->fd, 0) < 0)
		return code;
	g_free(file->notice);
	file->notice = g_strdup_printf("%s was %s", file->path,
	    statefault_text(MIN(code, STATEFAULT_CRASHED)));
	return run_once(file, view);
}

static int
run_locked(struct statefile *file, const struct statefile_view *view)
{
	g_autofree char *crashed = g_strconcat(file->path, GUARD_CRASHED, NULL);
	int code;

	if (!file->write && is_empty(file->fd))
		return ENOENT;
	file->crashed =
	    file->write && file->env == NULL && access(crashed, F_OK) == 0;
	if (file->crashed)
		rescue(file, crashed);
	code = run_or_begin_anew(file, view);
	if (code != 0)
		return code;
	/* Not before what was ordered stands in the new one. */
	if (file->crashed)
		unlink(crashed);
	g_clear_pointer(&file->orders, g_ptr_array_unref);
	return 0;
}

gboolean
statefile_run(struct statefile *file, enum statefile_access access,
    void (*work)(struct statefile_view *view, void *data), void *data,
    GError **error)
{
	struct statefile_view view = {
	    .file = file,
	    .work = work,
	    .data = data,
	};
	int code = open_locked(file, access == STATEFILE_WRITE);

	if (code == 0) {
		guard_suspect(file->path);
		code = run_locked(file, &view);
		flock(file->fd, LOCK_UN);
	}
	if (code == 0)
		return TRUE;
	close_file(file);
	g_set_error(error, STATEFILE_ERROR,
	    code == ENOENT ? STATEFILE_ERROR_ABSENT : STATEFILE_ERROR_FAILED,
	    "%s: %s", file->path, statefault_text(code));
	return FALSE;
}
