/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "hosts/statefile.h"
#include "unit/statefolder.h"

/* Far more than anything takes, in seconds. */
#define PATIENCE 600

void
statefolder_make(struct statefolder *place)
{
	g_autoptr(GError) error = NULL;

	place->folder = g_dir_make_tmp("state-test.XXXXXX", &error);
	g_assert_no_error(error);
	place->path = g_build_filename(place->folder, STATEFILE_NAME, NULL);
}

void
statefolder_remove(struct statefolder *place)
{
	if (place->folder == NULL)
		return;
	g_chmod(place->folder, 0700);
	/* Tests put one thing there, which may be a folder. */
	g_remove(place->path);
	g_assert_no_errno(g_rmdir(place->folder));
	g_clear_pointer(&place->path, g_free);
	g_clear_pointer(&place->folder, g_free);
}

char *
statefolder_read(const struct statefolder *place, gsize *length)
{
	g_autoptr(GError) error = NULL;
	char *content;

	g_file_get_contents(place->path, &content, length, &error);
	g_assert_no_error(error);
	return content;
}

void
statefolder_write(const struct statefolder *place, const void *content,
    gsize length)
{
	g_autoptr(GError) error = NULL;

	/* The other one waits for the disk. */
	g_file_set_contents_full(place->path, content, (gssize)length,
	    G_FILE_SET_CONTENTS_NONE, 0640, &error);
	g_assert_no_error(error);
}

pid_t
statefolder_fork(int (*work)(const void *data), const void *data)
{
	pid_t pid = fork();

	g_assert_no_errno(pid);
	if (pid > 0)
		return pid;
	alarm(PATIENCE);
	/* Not exit(): the test's own end is not the child's. */
	_exit(work(data));
}

int
statefolder_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		g_assert_cmpint(errno, ==, EINTR);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

int
statefolder_run(int (*work)(const void *data), const void *data)
{
	return statefolder_wait(statefolder_fork(work, data));
}
