/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/hosts/watch.h"

static volatile sig_atomic_t stopped;

/* As it was before: the signals come while we wait, and only then. */
static sigset_t waiting_mask;

guint
watch_width(guint most)
{
	struct winsize size;

	/* Terminals that do not know say 0. */
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return most;
	return MIN(size.ws_col, most);
}

static void
stop(int sig G_GNUC_UNUSED)
{
	stopped = 1;
}

void
watch_begin(void)
{
	const struct sigaction action = {.sa_handler = stop};
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigprocmask(SIG_BLOCK, &held, &waiting_mask);
	sigdelset(&waiting_mask, SIGINT);
	sigdelset(&waiting_mask, SIGTERM);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

void
watch_say_head(guint seconds)
{
	const char *term = g_getenv("TERM");
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autofree char *text = g_date_time_format(now, "%F %T");

	/* ECMA-48: cursor to the first place, erase all. */
	if (isatty(STDOUT_FILENO) && term != NULL && strcmp(term, "dumb") != 0)
		say("\033[H\033[2J");
	say("%s, every %u s\n\n", text, seconds);
}

/* @span: NULL: as long as it takes.  FALSE: it is over. */
static gboolean
wait_for(short events, const struct timespec *span)
{
	struct pollfd fd = {.fd = STDOUT_FILENO, .events = events};

	/* Any other signal just makes the wait a shorter one. */
	return !(ppoll(&fd, 1, span, &waiting_mask) > 0 &&
		   (fd.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) &&
	    !stopped;
}

gboolean
watch_wait(guint seconds)
{
	const struct timespec span = {.tv_sec = seconds};

	return wait_for(0, &span) && wait_for(POLLOUT, NULL);
}
