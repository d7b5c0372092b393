/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "route/maplmdb.h"
#include "util/autofd.h"
#include "util/guard.h"

#define TYPE "lmdb:"
#define END  ".lmdb"

/* For a file that is being made, for a damaged one, for one that changes. */
#define TRIES     5
#define CRASHES   2
#define CHANGES   50
#define TRY_PAUSE 20000 /* microseconds */

/* Beside errno's numbers and LMDB's, which are negative. */
#define CODE_CRASHED (-1)
#define CODE_CHANGED (-2)
#define CODE_ODD     (-3) /* no regular file */

struct view {
	const char *path;
	int fd;
	maplmdb_step *step;
	void *data;
	MDB_env *env;
	MDB_txn *txn;
	MDB_cursor *cursor;
	gboolean more;
	int code; /* the first error */
};

gboolean
maplmdb_is(const char *map)
{
	return g_str_has_prefix(map, TYPE);
}

char *
maplmdb_file(const char *map)
{
	return g_strconcat(map + sizeof(TYPE) - 1, END, NULL);
}

static gboolean
note(struct view *view, int code)
{
	if (code != 0 && view->code == 0)
		view->code = code;
	return code == 0;
}

/* Does its name still lead to the file that was looked at? */
static int
is_same_file(const struct view *view)
{
	struct stat ours;
	struct stat theirs;

	if (fstat(view->fd, &ours) < 0 || stat(view->path, &theirs) < 0)
		return errno;
	return ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino
	    ? 0
	    : CODE_CHANGED;
}

static gboolean
open_view(struct view *view)
{
	const unsigned flags =
	    MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK | MDB_NORDAHEAD;
	MDB_dbi dbi;

	return note(view, mdb_env_create(&view->env)) &&
	    note(view, mdb_env_open(view->env, view->path, flags, 0)) &&
	    note(view, is_same_file(view)) &&
	    note(view,
		mdb_txn_begin(view->env, NULL, MDB_RDONLY, &view->txn)) &&
	    note(view, mdb_dbi_open(view->txn, NULL, 0, &dbi)) &&
	    note(view, mdb_cursor_open(view->txn, dbi, &view->cursor));
}

/*
 * Nobody knows of this reader, so the pages that it looks at may have been
 * used again.  LMDB does that with the pages of a map after two more commits.
 */
static void
check_change(struct view *view)
{
	MDB_envinfo info;

	if (note(view, mdb_env_info(view->env, &info)) &&
	    info.me_last_txnid > mdb_txn_id(view->txn) + 1)
		note(view, CODE_CHANGED);
}

/* For guard_try(): whatever LMDB makes of the file. */
static void
run_step(void *data)
{
	struct view *view = data;
	gboolean first = view->cursor == NULL;
	int code;

	view->more = FALSE;
	if (first && !open_view(view))
		return;
	code = view->step(view->cursor, first, &view->more, view->data);
	note(view, code == MDB_NOTFOUND ? 0 : code);
	check_change(view);
}

static void
close_view(void *data)
{
	struct view *view = data;

	if (view->cursor != NULL)
		mdb_cursor_close(view->cursor);
	if (view->txn != NULL)
		mdb_txn_abort(view->txn);
	if (view->env != NULL)
		mdb_env_close(view->env);
}

static int
check_kind(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	return S_ISREG(st.st_mode) ? 0 : CODE_ODD;
}

static int
read_once(const char *path, maplmdb_step *step, void *data)
{
	autofd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct view view = {
	    .path = path,
	    .fd = fd,
	    .step = step,
	    .data = data,
	    .code = check_kind(fd),
	};
	gboolean sound = TRUE;

	if (view.code != 0)
		return view.code;
	do {
		sound = guard_try(run_step, &view);
	} while (sound && view.code == 0 && view.more);
	/* After a crash nobody knows what is left of it. */
	if (!sound || !guard_try(close_view, &view))
		return CODE_CRASHED;
	return view.code;
}

/* Is it something that may be over in a moment, after so many tries? */
static gboolean
may_pass(int code, int tries)
{
	if (code == CODE_CRASHED)
		return tries < CRASHES;
	if (code == CODE_CHANGED)
		return tries < CHANGES;
	return tries < TRIES && (code < 0 || code == EAGAIN || code == ENOENT);
}

static const char *
describe(int code)
{
	switch (code) {
	case CODE_ODD:
		return "not a regular file";
	case CODE_CHANGED:
		return "changes all the time; expected it left alone";
	case EBADF: /* LMDB would write to it, since it is empty */
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
		return "not an lmdb file; expected what postmap(1) makes";
	default:
		break;
	}
	if (code < 0 || code == EINVAL || code == EIO)
		return "damaged; expected what postmap(1) makes";
	return g_strerror(code);
}

char *
maplmdb_read(const char *map, maplmdb_step *step, void *data)
{
	g_autofree char *path = maplmdb_file(map);
	int code = read_once(path, step, data);

	for (int i = 1; may_pass(code, i); i++) {
		g_usleep(TRY_PAUSE);
		code = read_once(path, step, data);
	}
	return code == 0 ? NULL
			 : g_strdup_printf("%s: %s", path, describe(code));
}
