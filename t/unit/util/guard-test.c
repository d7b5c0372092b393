/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "unit/table.h"
#include "unit/watched.h"
#include "util/autofd.h"
#include "util/guard.h"

#define PAGE 65536 /* or a part of it */

static void
read_unmapped(void *data G_GNUC_UNUSED)
{
	char *page =
	    mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	g_assert_true(page != MAP_FAILED);
	g_assert_cmpint(*(volatile char *)page, ==, 0);
}

static void
write_read_only(void *data G_GNUC_UNUSED)
{
	char *page =
	    mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	g_assert_true(page != MAP_FAILED);
	*(volatile char *)page = 1;
}

static void
read_cut_off(void *data G_GNUC_UNUSED)
{
	autofd fd = memfd_create("cut off", MFD_CLOEXEC);
	char *page;

	g_assert_no_errno(ftruncate(fd, PAGE));
	page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	g_assert_true(page != MAP_FAILED);
	g_assert_cmpint(*(volatile char *)page, ==, 0);
	g_assert_no_errno(ftruncate(fd, 0));
	g_assert_cmpint(*(volatile char *)page, ==, 0);
}

static void
call_abort(void *data G_GNUC_UNUSED)
{
	abort();
}

static void
raise_fpe(void *data G_GNUC_UNUSED)
{
	raise(SIGFPE);
}

static void
crash_deep(void *data)
{
	volatile char frame[4096];
	int *depth = data;

	frame[0] = 0;
	if (--*depth > 0)
		crash_deep(depth);
	else
		raise(SIGSEGV);
	frame[1] = frame[0];
}

static void
go_in_circles(void *data G_GNUC_UNUSED)
{
	for (volatile guint i = 0;; i++)
		continue;
}

static int depth_of_crash;

static const struct crash {
	const char *says;
	void (*work)(void *data);
} crashes[] = {
    {"reading where nothing is", read_unmapped},
    {"writing where that is not allowed", write_read_only},
    {"reading a mapped file that was cut off", read_cut_off},
    {"an abort", call_abort},
    {"a division by zero", raise_fpe},
    {"far down the stack", crash_deep},
};

static const int signals[] = {SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGVTALRM};

static void
assert_unblocked(void)
{
	sigset_t blocked;

	g_assert_no_errno(sigprocmask(SIG_SETMASK, NULL, &blocked));
	for (gsize i = 0; i < G_N_ELEMENTS(signals); i++)
		g_assert_false(sigismember(&blocked, signals[i]));
}

/* The second time it has to be as good as the first. */
static void
test_crash(gconstpointer data)
{
	const struct crash *row = data;
	if (watched_by_valgrind())
		return;
	for (int i = 0; i < 3; i++) {
		depth_of_crash = 50;
		g_assert_false(guard_try(row->work, &depth_of_crash));
		assert_unblocked();
	}
}

static void
add_one(void *data)
{
	++*(int *)data;
}

static void
test_no_crash(void)
{
	int count = 0;

	g_assert_true(guard_try(add_one, &count));
	g_assert_false(guard_try(call_abort, NULL));
	g_assert_true(guard_try(add_one, &count));
	g_assert_cmpint(count, ==, 2);
}

static void
test_circles(void)
{
	struct itimerval timer;
	int count = 0;

	g_assert_false(guard_try(go_in_circles, NULL));
	assert_unblocked();
	g_assert_true(guard_try(add_one, &count));
	/* Nothing strikes later. */
	g_assert_no_errno(getitimer(ITIMER_VIRTUAL, &timer));
	g_assert_cmpint(timer.it_value.tv_sec, ==, 0);
	g_assert_cmpint(timer.it_value.tv_usec, ==, 0);
}

static gpointer
try_circles(gpointer data G_GNUC_UNUSED)
{
	return GINT_TO_POINTER(guard_try(go_in_circles, NULL));
}

/* The kernel gives a process' signal to the first thread, if it may. */
static void
test_circles_thread(void)
{
	GThread *thread = g_thread_new("circles", try_circles, NULL);

	g_assert_false(GPOINTER_TO_INT(g_thread_join(thread)));
}

/* What it does where guard_try() was, as a wait status. */
static int
raise_after_try(int sig)
{
	pid_t pid = fork();
	int count = 0;
	int status;

	if (pid == 0) {
		guard_try(add_one, &count);
		raise(sig);
		_exit(0);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	return status;
}

/* A signal that comes outside does what it did before, but for the timer. */
static void
test_signals_outside(void)
{
	if (watched_by_valgrind())
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) {
		int status = raise_after_try(signals[i]);

		/* A sanitizer has handlers of its own, which exit. */
		if (signals[i] == SIGVTALRM)
			g_assert_cmpint(status, ==, 0);
		else
			g_assert_cmpint(status, !=, 0);
	}
}

/* A crash outside is still the one that defers. */
static void
test_with_guard_crashes(void)
{
	if (watched_by_valgrind())
		return;
	if (g_test_subprocess()) {
		guard_crashes(STDOUT_FILENO);
		g_assert_false(guard_try(read_unmapped, NULL));
		g_assert_false(guard_try(call_abort, NULL));
		raise(SIGSEGV);
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_failed();
	g_test_trap_assert_stdout("*4.3.0 smtproute: fatal signal*");
}

static void *
crash_thread(void *data G_GNUC_UNUSED)
{
	raise(SIGSEGV);
	return NULL;
}

/* A crash of this process, in its first thread or another one. */
static void
crash_with_suspect(const char *path, gboolean elsewhere)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		guard_crashes(-1);
		guard_suspect(path);
		if (elsewhere)
			g_thread_join(g_thread_new(NULL, crash_thread, NULL));
		else
			raise(SIGSEGV);
		_exit(0);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_cmpint(WEXITSTATUS(status), ==, EX_TEMPFAIL);
}

static void
test_suspect(void)
{
	g_autofree char *path = NULL;
	g_autofree char *crashed = NULL;
	int fd = g_file_open_tmp(NULL, &path, NULL);

	if (watched_by_valgrind())
		return;
	close(fd);
	crashed = g_strconcat(path, GUARD_CRASHED, NULL);
	crash_with_suspect(path, TRUE);
	g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
	crash_with_suspect(path, FALSE);
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
	g_assert_no_errno(unlink(crashed));
}

/* Lives until somebody removes the file. */
static void
await_removal(void *data)
{
	while (g_access(data, F_OK) == 0)
		g_usleep(10 * 1000);
}

/* Whoever reads from the process that detached it is not held up by it. */
static void
test_detached(void)
{
	g_autofree char *path = NULL;
	struct pollfd pollfd = {.events = POLLIN};
	char byte;
	int status;
	int ends[2];
	pid_t pid;

	close(g_file_open_tmp(NULL, &path, NULL));
	g_assert_no_errno(pipe(ends));
	pid = fork();
	if (pid == 0) {
		guard_detach(await_removal, path, 60);
		_exit(0);
	}
	close(ends[1]);
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	pollfd.fd = ends[0];
	g_assert_cmpint(poll(&pollfd, 1, 30 * 1000), ==, 1);
	g_assert_cmpint(read(ends[0], &byte, 1), ==, 0);
	g_assert_no_errno(unlink(path));
	close(ends[0]);
}

int
main(int argc, char **argv)
{
	const struct rlimit no_core = {0, 0};

	g_test_init(&argc, &argv, NULL);
	setrlimit(RLIMIT_CORE, &no_core);
	TABLE_ADD("guard/try", crashes, test_crash);
	g_test_add_func("/guard/try/what does not crash", test_no_crash);
	g_test_add_func("/guard/try/what goes in circles", test_circles);
	g_test_add_func("/guard/try/the same in another thread",
	    test_circles_thread);
	g_test_add_func("/guard/try/and a signal outside",
	    test_signals_outside);
	g_test_add_func("/guard/try/and what crashes outside",
	    test_with_guard_crashes);
	g_test_add_func("/guard/a suspect is set aside", test_suspect);
	g_test_add_func("/guard/what is detached holds nothing", test_detached);
	return g_test_run();
}
