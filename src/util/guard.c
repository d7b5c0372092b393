/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#include "util/deadline.h"
#include "util/guard.h"

/* pipe(8) reads all the time; who else does not is not waited for. */
#define WRITE_SPAN (10 * G_USEC_PER_SEC)

/*
 * For the handler when the stack itself is used up: GLib recurses without an
 * end when there is no memory even for the message that says so.
 */
#define CRASH_STACK_SIZE (64 * 1024)

/* What guard_try() guards takes milliseconds, unless it goes in circles. */
#define TRY_SECONDS 3

static int crash_output = -1;
static char suspect[PATH_MAX]; /* "": none */
static char crashed_suspect[PATH_MAX];
static pthread_t suspect_thread;
static volatile sig_atomic_t final_status = -1; /* -1: no verdict yet */
static volatile sig_atomic_t written;           /* has guard_write() begun? */
static gboolean tries; /* has guard_try() the signals? */

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

/*
 * Not for want of time, or of memory (SIGTRAP is GLib's way to say so), nor
 * for what another thread does.
 */
static void
set_suspect_aside(int sig)
{
	if (sig == SIGALRM || sig == SIGTRAP || suspect[0] == '\0' ||
	    !pthread_equal(pthread_self(), suspect_thread))
		return;
	if (rename(suspect, crashed_suspect) < 0)
		unlink(suspect);
}

/* Async-signal-safe (signal-safety(7)). */
static void
defer_and_exit(int sig)
{
	static const char crashed[] = "4.3.0 smtproute: fatal signal, see the "
				      "system's log";
	static const char late[] = "4.3.0 smtproute: time-limit passed";
	static const char delivered[] = "2.0.0 smtproute: delivered; then "
					"fatal signal, see the system's log";
	const char *line = sig == SIGALRM ? late : crashed;

	set_suspect_aside(sig);
	if (written || final_status > 0)
		_exit(final_status);
	if (final_status == EX_OK)
		line = delivered;
	else
		final_status = EX_TEMPFAIL;
	if (write(crash_output, line, strlen(line)) < 0)
		_exit(final_status);
	_exit(final_status);
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
	/* One of guard_try()'s that comes late. */
	signal(SIGVTALRM, SIG_IGN);
	tries = FALSE;
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
guard_suspect(const char *path)
{
	g_strlcpy(crashed_suspect, path, sizeof(crashed_suspect));
	g_strlcat(crashed_suspect, GUARD_CRASHED, sizeof(crashed_suspect));
	g_strlcpy(suspect, path, sizeof(suspect));
	suspect_thread = pthread_self();
}

static const int try_signals[] = {SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGVTALRM};

static sigjmp_buf way_out;
static pthread_t try_thread;
static volatile sig_atomic_t trying;
static struct sigaction untried[G_N_ELEMENTS(try_signals)];

/* As if guard_try() had never been. */
static void
act_as_before(int sig)
{
	gsize i = 0;

	while (try_signals[i] != sig)
		i++;
	sigaction(sig, &untried[i], NULL);
	raise(sig);
}

static void
take_way_out(int sig)
{
	if (trying && pthread_equal(pthread_self(), try_thread))
		siglongjmp(way_out, sig);
	/* The timer is the process', and may hit any thread, but only once. */
	if (sig != SIGVTALRM)
		act_as_before(sig);
	else if (trying)
		pthread_kill(try_thread, sig);
}

/*
 * Once: to take the handlers away after each try, and to set them again, would
 * be a fifth of the system calls of a message that comes by LMTP.
 */
static void
take_signals(void)
{
	struct sigaction action = {
	    .sa_handler = take_way_out,
	    .sa_flags = SA_ONSTACK | SA_NODEFER, /* no mask to restore */
	};

	if (tries)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(try_signals); i++)
		sigaction(try_signals[i], &action, &untried[i]);
	tries = TRUE;
}

/* Of this process' own time on a processor, so that nobody else matters. */
static void
limit_try(time_t seconds)
{
	const struct itimerval limit = {.it_value = {.tv_sec = seconds}};

	setitimer(ITIMER_VIRTUAL, &limit, NULL);
}

gboolean
guard_try(void (*work)(void *data), void *data)
{
	volatile gboolean crashed = TRUE;

	try_thread = pthread_self();
	take_signals();
	if (sigsetjmp(way_out, 0) == 0) {
		trying = TRUE;
		limit_try(TRY_SECONDS);
		work(data);
		crashed = FALSE;
	}
	trying = FALSE;
	limit_try(0);
	return !crashed;
}

void
guard_write(int output, const char *line)
{
	gint64 deadline = deadline_in(WRITE_SPAN);
	gsize left = strlen(line);

	written = TRUE;
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

/* What this process has of pipe(8) and of the signals. */
static void
let_go(unsigned seconds)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setsid();
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	if (null > STDERR_FILENO)
		close(null);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
	}
	if (null > STDERR_FILENO)
		close(null);
	/*
	 * pipe(8) and lmtp(8) read until it is closed everywhere, and hosts
	 * wait for as long as a connection is open somewhere.
	 */
	closelog();
	close_range(STDERR_FILENO + 1, ~0U, 0);
	crash_output = -1;
	final_status = EX_OK;
	written = TRUE;
	guard_time(seconds);
}

/* A child in between takes care that there is nobody to wait for. */
void
guard_detach(void (*work)(void *data), void *data, unsigned seconds)
{
	pid_t pid = fork();

	if (pid < 0)
		return;
	if (pid > 0) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return;
	}
	if (fork() == 0) {
		let_go(seconds);
		work(data);
	}
	_exit(EX_OK);
}
