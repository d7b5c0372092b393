/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "util/autofd.h"
#include "util/caller.h"

/* Of proc(5)'s stat, as far as flags; a name has 64 bytes at most. */
#define STAT_MAX 512

/* Behind the name. */
#define FLAGS_FIELD 7

/* In the flags, of the kernel's sched.h, which is no header for programs. */
#define PF_EXITING 0x4

/* The process that takes over those whose parent is gone, if nobody else. */
#define INIT 1

static gboolean watched;
static gboolean of_process; /* not only of its descriptor */
static gboolean orphaned;   /* from the start */
static pid_t parent;
static int reader = -1; /* what somebody reads; -1: nothing tells */

/*
 * Has nobody any more the other end of @fd open?  Of files and terminals that
 * is not so until the terminal hangs up.
 */
static gboolean
is_deserted(int fd)
{
	struct pollfd pollfd = {.fd = fd};

	return poll(&pollfd, 1, 0) > 0 &&
	    (pollfd.revents & (POLLERR | POLLHUP)) != 0;
}

/*
 * getppid(2) cannot tell who has died before: then it is init, or a subreaper,
 * from the start.  That nobody reads the verdict tells it of pipe(8), which
 * has the only other end of that pipe; but somebody else may have closed his
 * without dying, so it takes both.
 */
void
caller_watch(int verdict)
{
	watched = TRUE;
	of_process = TRUE;
	parent = getppid();
	orphaned = FALSE;
	reader = verdict;
	if (!is_deserted(verdict))
		return;
	orphaned = parent == INIT;
	reader = -1;
}

void
caller_watch_reader(void)
{
	of_process = FALSE;
}

/*
 * On its way out, although still our parent?  proc(5): name in parentheses,
 * which may have any in it, state, five numbers, flags.
 */
static gboolean
is_exiting(pid_t pid)
{
	char text[STAT_MAX];
	autofd fd = -1;
	g_auto(GStrv) fields = NULL;
	const char *end;
	gssize n;

	g_snprintf(text, sizeof(text), "/proc/%ld/stat", (long)pid);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return FALSE;
	text[n] = '\0';
	end = strrchr(text, ')');
	if (end == NULL)
		return FALSE;
	fields = g_strsplit(end, " ", FLAGS_FIELD + 2);
	return g_strv_length(fields) > FLAGS_FIELD &&
	    (g_ascii_strtoull(fields[FLAGS_FIELD], NULL, 10) & PF_EXITING) != 0;
}

/*
 * A parent that has ended never is ours again, whatever becomes of its number:
 * its children get another one first.  Where a shell stands between pipe(8) and
 * us, pipe(8) is known by the verdict's pipe.
 */
gboolean
caller_is_gone(void)
{
	if (!watched)
		return FALSE;
	if (of_process && (orphaned || getppid() != parent))
		return TRUE;
	return is_deserted(reader);
}

/*
 * A process is marked as exiting before any of its descriptors is closed, so
 * whose death has closed the input is seen here, first as exiting and then as
 * no longer our parent, in this order.
 */
gboolean
caller_is_going(void)
{
	return (watched && of_process && is_exiting(parent)) ||
	    caller_is_gone();
}
