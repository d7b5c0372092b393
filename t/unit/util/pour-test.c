/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "util/autofd.h"
#include "util/pour.h"

/* Much more than a pipe holds. */
#define LENGTH (4 * 1024 * 1024)

static char *
pattern_new(void)
{
	char *data = g_malloc(LENGTH);

	for (gsize i = 0; i < LENGTH; i++)
		data[i] = (char)(i % 251);
	return data;
}

static void
ignore(int sig G_GNUC_UNUSED)
{
}

/* Each millisecond, and without SA_RESTART. */
static void
interrupt(gboolean on)
{
	struct sigaction action = {.sa_handler = ignore};
	struct itimerval timer = {{0, on ? 1000 : 0}, {0, on ? 1000 : 0}};

	g_assert_no_errno(sigaction(SIGALRM, &action, NULL));
	g_assert_no_errno(setitimer(ITIMER_REAL, &timer, NULL));
}

/* In small pieces, some of them after a while.  What came, to the end. */
static gpointer
drink(gpointer data)
{
	autofd fd = GPOINTER_TO_INT(data);
	GByteArray *all = g_byte_array_new();
	guint8 piece[4096];
	gssize n;

	while ((n = read(fd, piece, sizeof(piece))) > 0) {
		g_byte_array_append(all, piece, (guint)n);
		if (all->len % (64 * sizeof(piece)) == 0)
			g_usleep(2000);
	}
	return all;
}

static void
block_alarm(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	g_assert_cmpint(pthread_sigmask(how, &set, NULL), ==, 0);
}

/* A write(2) that a signal ends has written a part of it, or nothing. */
static void
test_interrupted(void)
{
	g_autofree char *data = pattern_new();
	g_autoptr(GByteArray) came = NULL;
	GThread *reader;
	int ends[2];

	g_assert_no_errno(pipe2(ends, O_CLOEXEC));
	/* The signals are the writer's. */
	block_alarm(SIG_BLOCK);
	reader = g_thread_new("drink", drink, GINT_TO_POINTER(ends[0]));
	block_alarm(SIG_UNBLOCK);
	interrupt(TRUE);
	g_assert_true(pour(ends[1], data, LENGTH));
	interrupt(FALSE);
	close(ends[1]);
	came = g_thread_join(reader);
	g_assert_cmpmem(came->data, came->len, data, LENGTH);
}

static void
test_nothing(void)
{
	g_assert_true(pour(-1, NULL, 0));
}

static void
test_reader_gone(void)
{
	int ends[2];

	g_assert_no_errno(pipe2(ends, O_CLOEXEC));
	close(ends[0]);
	g_assert_false(pour(ends[1], "text", 4));
	g_assert_cmpint(errno, ==, EPIPE);
	close(ends[1]);
}

static void
test_full(void)
{
	autofd fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	g_assert_false(pour(fd, "text", 4));
	g_assert_cmpint(errno, ==, ENOSPC);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	signal(SIGPIPE, SIG_IGN);
	g_test_add_func("/pour/interrupted", test_interrupted);
	g_test_add_func("/pour/nothing", test_nothing);
	g_test_add_func("/pour/nobody reads", test_reader_gone);
	g_test_add_func("/pour/no room", test_full);
	return g_test_run();
}
