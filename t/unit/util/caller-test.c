/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "util/autofd.h"
#include "util/caller.h"

static void
test_unwatched(void)
{
	g_assert_false(caller_is_gone());
}

/* Somebody reads, and then not any more. */
static void
assert_reader(int ours, int theirs)
{
	caller_watch(ours);
	g_assert_false(caller_is_gone());
	g_assert_no_errno(close(theirs));
	g_assert_true(caller_is_gone());
	g_assert_no_errno(close(ours));
}

static void
test_reader(void)
{
	int pair[2];

	g_assert_no_errno(pipe2(pair, O_CLOEXEC));
	assert_reader(pair[1], pair[0]);
	g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	assert_reader(pair[1], pair[0]);
}

/* Neither tells anything. */
static void
test_no_reader(void)
{
	autofd file = open("/dev/null", O_WRONLY | O_CLOEXEC);

	caller_watch(file);
	g_assert_false(caller_is_gone());
	caller_watch(-1);
	g_assert_false(caller_is_gone());
}

/* Whose reader had left before may have a caller who does not read. */
static void
test_reader_never(void)
{
	int pair[2];
	autofd ours = -1;

	g_assert_no_errno(pipe2(pair, O_CLOEXEC));
	ours = pair[1];
	g_assert_no_errno(close(pair[0]));
	caller_watch(ours);
	g_assert_false(caller_is_gone());
}

/* What a child of a parent that dies says when asked; its own child looks. */
static void
watch_and_tell(int parent, int go, int told)
{
	char byte;
	gboolean before;
	gboolean after;

	caller_watch(-1);
	before = caller_is_gone();
	/* Now the parent may die; that the pipe ends says that it does. */
	g_assert_no_errno(close(parent));
	g_assert_cmpint(read(go, &byte, 1), ==, 0);
	after = caller_is_going();
	byte = (char)('0' + 2 * before + after);
	g_assert_cmpint(write(told, &byte, 1), ==, 1);
	_exit(0);
}

/*
 * @go's other end is the parent's alone: it is closed by its death, and from
 * then on the parent is gone, from the first moment.
 */
static void
be_parent(int told)
{
	int go[2];
	int ready[2];
	char byte;

	g_assert_no_errno(pipe2(go, O_CLOEXEC));
	g_assert_no_errno(pipe2(ready, O_CLOEXEC));
	if (fork() == 0) {
		close(go[1]);
		close(ready[0]);
		watch_and_tell(ready[1], go[0], told);
	}
	close(ready[1]);
	g_assert_cmpint(read(ready[0], &byte, 1), ==, 0);
	kill(getpid(), SIGKILL);
}

static void
test_parent(void)
{
	for (int round = 0; round < 100; round++) {
		int told[2];
		int status;
		char byte;
		pid_t parent;

		g_assert_no_errno(pipe2(told, O_CLOEXEC));
		parent = fork();
		if (parent == 0)
			be_parent(told[1]);
		g_assert_no_errno(close(told[1]));
		g_assert_cmpint(read(told[0], &byte, 1), ==, 1);
		g_assert_cmpint(byte, ==, '1');
		g_assert_no_errno(close(told[0]));
		g_assert_cmpint(waitpid(parent, &status, 0), ==, parent);
		g_assert_true(WIFSIGNALED(status));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/nobody is watched", test_unwatched);
	g_test_add_func("/the reader leaves", test_reader);
	g_test_add_func("/there is no reader", test_no_reader);
	g_test_add_func("/there never was a reader", test_reader_never);
	g_test_add_func("/the parent dies", test_parent);
	return g_test_run();
}
