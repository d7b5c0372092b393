/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <time.h>

#include "util/deadline.h"
#include "util/filelock.h"

#define WAKE_SIGNAL SIGRTMIN
#define WAKE_PERIOD (50 * 1000 * 1000) /* nanoseconds */

static void
wake(int sig G_GNUC_UNUSED)
{
}

/*
 * flock(2) has no time-out, so a signal ends it: only then, for who waits
 * again is the last in the row, and then again and again, since it may come
 * before flock(2) is called.  Returns an errno.
 */
static int
wait_for_lock(int fd, int operation, gint64 span)
{
	const struct itimerspec period = {
	    .it_value = {.tv_sec = span / G_USEC_PER_SEC,
		.tv_nsec = span % G_USEC_PER_SEC * 1000},
	    .it_interval = {.tv_nsec = WAKE_PERIOD},
	};
	struct sigevent event = {
	    .sigev_notify = SIGEV_SIGNAL,
	    .sigev_signo = WAKE_SIGNAL,
	};
	struct sigaction action = {.sa_handler = wake};
	gint64 deadline = deadline_in(span);
	sigset_t signals;
	timer_t timer;
	int code;

	if (timer_create(CLOCK_MONOTONIC, &event, &timer) < 0)
		return errno;
	/* It stays, for a signal that is late. */
	sigaction(WAKE_SIGNAL, &action, NULL);
	sigemptyset(&signals);
	sigaddset(&signals, WAKE_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
	timer_settime(timer, 0, &period, NULL);
	do {
		code = flock(fd, operation) < 0 ? errno : 0;
	} while (code == EINTR && deadline_left(deadline) > 0);
	timer_delete(timer);
	return code == EINTR ? EWOULDBLOCK : code;
}

int
filelock_take(int fd, int operation, gint64 span)
{
	if (flock(fd, operation | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? wait_for_lock(fd, operation, span)
				    : errno;
}
