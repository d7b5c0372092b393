/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "deadline.h"
#include "guard.h"

/* pipe(8) reads all the time; who else does not is not waited for. */
#define WRITE_SPAN (10 * G_USEC_PER_SEC)

/*
 * For the handler when the stack itself is used up: GLib recurses without an
 * end when there is no memory even for the message that says so.
 */
#define CRASH_STACK_SIZE (64 * 1024)

static int crash_output = -1;
static volatile sig_atomic_t final_status = -1; /* -1: no verdict yet */

int
guard_output(void)
{
	int null;
	int output;

	/* First, so that the verdict is the last to want a descriptor. */
	output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	/* Closed descriptors 0 to 2 would be given to the next open(2). */
	do {
		null = open("/dev/null", O_WRONLY);
	} while (null >= 0 && null <= STDERR_FILENO);
	if (null < 0)
		return output;
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	close(null);
	return output;
}

/* Async-signal-safe (signal-safety(7)). */
static void
defer_and_exit(int sig)
{
	static const char crashed[] = "4.3.0 smtproute: fatal signal, see the "
				      "system's log";
	static const char late[] = "4.3.0 smtproute: time-limit passed";
	const char *line = sig == SIGALRM ? late : crashed;

	if (final_status >= 0)
		_exit(final_status);
	if (write(crash_output, line, strlen(line)) < 0)
		_exit(EX_TEMPFAIL);
	_exit(EX_TEMPFAIL);
}

void
guard_crashes(int output)
{
	static const int signals[] = {SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGILL,
	    SIGSEGV, SIGSYS, SIGTRAP};
	static char memory[CRASH_STACK_SIZE];
	stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)};
	struct sigaction action = {
	    .sa_handler = defer_and_exit,
	    .sa_flags = SA_ONSTACK,
	};

	crash_output = output;
	sigaltstack(&stack, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(signals); i++)
		sigaction(signals[i], &action, NULL);
	/* pipe(8) ignores them already, a shell does not. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

void
guard_time(unsigned seconds)
{
	alarm(seconds);
}

void
guard_status(int status)
{
	final_status = status;
}

void
guard_write(int output, const char *line)
{
	gint64 deadline = deadline_in(WRITE_SPAN);
	gsize left = strlen(line);

	while (left > 0) {
		struct pollfd pollfd = {.fd = output, .events = POLLOUT};
		gssize n = write(output, line, left);

		if (n >= 0) {
			line += n;
			left -= n;
		} else if (errno == EAGAIN) {
			if (deadline_poll(&pollfd, 1, deadline) <= 0)
				return;
		} else if (errno != EINTR) {
			return;
		}
	}
}
