/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
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

static pthread_t writer;

static void
ignore(int sig G_GNUC_UNUSED)
{
}

/*
 * The writer waits, having written something.  Once it is told, it has written
 * nothing when it is told again.
 */
static void
interrupt(void)
{
	for (int i = 0; i < 2; i++) {
		g_usleep(2000);
		pthread_kill(writer, SIGUSR1);
	}
	g_usleep(2000);
}

/* In small pieces, with interruptions.  What came, to the end. */
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
			interrupt();
	}
	return all;
}

/* A write(2) that a signal ends has written a part of it, or nothing. */
static void
test_interrupted(void)
{
	/* Without SA_RESTART. */
	struct sigaction action = {.sa_handler = ignore};
	g_autofree char *data = pattern_new();
	g_autoptr(GByteArray) came = NULL;
	GThread *reader;
	int ends[2];

	g_assert_no_errno(pipe2(ends, O_CLOEXEC));
	g_assert_no_errno(sigaction(SIGUSR1, &action, NULL));
	writer = pthread_self();
	reader = g_thread_new("drink", drink, GINT_TO_POINTER(ends[0]));
	g_assert_true(pour(ends[1], data, LENGTH));
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
