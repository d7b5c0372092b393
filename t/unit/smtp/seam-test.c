/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>

#include "smtp/seam.h"
#include "util/autofd.h"

struct fixture {
	struct seam seam;
	GString *heard;
};

static void
hear(const char *text, gsize length, void *data)
{
	struct fixture *fixture = data;

	g_string_append_len(fixture->heard, text, (gssize)length);
}

static void
set_up(struct fixture *fixture, gconstpointer data)
{
	(void)data;
	fixture->heard = g_string_new(NULL);
	fixture->seam.input = g_string_new(NULL);
	fixture->seam.written = hear;
	fixture->seam.data = fixture;
	seam_open(&fixture->seam);
}

static void
tear_down(struct fixture *fixture, gconstpointer data)
{
	(void)data;
	seam_close();
	g_string_free(fixture->heard, TRUE);
	g_string_free(fixture->seam.input, TRUE);
}

/* A socket as libESMTP makes it. */
static int
plain_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

/* It would take an address of this family, if it were a real one. */
static int
connect_to_nothing(int fd)
{
	const struct sockaddr nothing = {.sa_family = AF_UNSPEC};

	return connect(fd, &nothing, 0);
}

static int
look(int fd, short *ret_read, short *ret_write)
{
	struct pollfd fds[] = {{fd, POLLIN, -1}, {fd, POLLOUT, -1}};
	int count = poll(fds, G_N_ELEMENTS(fds), 1000);

	*ret_read = fds[0].revents;
	*ret_write = fds[1].revents;
	return count;
}

static void
assert_read(int fd, gsize length, const char *expected)
{
	char text[64] = "";

	g_assert_cmpint(read(fd, text, length), ==, strlen(expected));
	g_assert_cmpstr(text, ==, expected);
}

static void
assert_exhausted(int fd)
{
	char byte;

	g_assert_cmpint(read(fd, &byte, 1), ==, -1);
	g_assert_cmpint(errno, ==, EAGAIN);
}

static void
test_socket(struct fixture *fixture, gconstpointer data)
{
	int fd = plain_socket();
	short readable;
	short writable;

	(void)data;
	g_assert_no_errno(connect_to_nothing(fd));
	g_assert_cmpint(look(fd, &readable, &writable), ==, 1);
	g_assert_cmpint(readable, ==, 0);
	g_assert_cmpint(writable, ==, POLLOUT);
	assert_exhausted(fd);

	g_string_append(fixture->seam.input, "220 hello");
	g_assert_cmpint(look(fd, &readable, &writable), ==, 2);
	g_assert_cmpint(readable, ==, POLLIN);
	assert_read(fd, 4, "220 ");
	g_string_append(fixture->seam.input, "!");
	assert_read(fd, 60, "hello!");
	assert_exhausted(fd);

	g_assert_cmpint(write(fd, "EHLO ", 5), ==, 5);
	g_assert_cmpint(write(fd, "me", 2), ==, 2);
	g_assert_cmpstr(fixture->heard->str, ==, "EHLO me");
}

/* Nothing is waited for, and nothing is there. */
static void
test_time_out(struct fixture *fixture, gconstpointer data)
{
	struct pollfd pollfd = {plain_socket(), POLLIN, -1};

	(void)fixture;
	(void)data;
	g_assert_cmpint(poll(&pollfd, 1, 1 << 30), ==, 0);
	g_assert_cmpint(pollfd.revents, ==, 0);
}

static void
assert_pair_works(void)
{
	autofd one = -1;
	autofd other = -1;
	struct pollfd pollfd = {.events = POLLIN};
	int pair[2];
	char text[8] = "";

	g_assert_no_errno(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	one = pair[0];
	other = pair[1];
	g_assert_cmpint(write(one, "abc", 3), ==, 3);
	pollfd.fd = other;
	g_assert_cmpint(poll(&pollfd, 1, 0), ==, 1);
	g_assert_cmpint(read(other, text, sizeof(text)), ==, 3);
	g_assert_cmpstr(text, ==, "abc");
}

static void
assert_real(int fd)
{
	int type;
	socklen_t size = sizeof(type);

	g_assert_no_errno(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size));
	g_assert_cmpint(type, ==, SOCK_STREAM);
	/* That is how a real one takes it. */
	g_assert_cmpint(connect_to_nothing(fd), ==, -1);
	g_assert_cmpint(errno, ==, EINVAL);
}

static gpointer
other_thread(gpointer data)
{
	const int *seam = data;
	autofd fd = plain_socket();
	char byte;

	assert_real(fd);
	g_assert_cmpint(read(*seam, &byte, 1), ==, -1);
	g_assert_cmpint(errno, ==, EBADF);
	return NULL;
}

/* What the program itself does meanwhile goes to the kernel. */
static void
test_others(struct fixture *fixture, gconstpointer data)
{
	int seam = plain_socket();
	autofd second = plain_socket();

	(void)data;
	g_assert_cmpint(second, !=, seam);
	assert_real(second);
	assert_pair_works();
	g_thread_join(g_thread_new("other", other_thread, &seam));
	g_assert_cmpint(poll(NULL, 0, 0), ==, 0);
	g_assert_cmpstr(fixture->heard->str, ==, "");
}

static void
test_closed(struct fixture *fixture, gconstpointer data)
{
	int seam = plain_socket();
	struct pollfd pollfd = {seam, POLLOUT, 0};
	autofd fd = -1;
	char byte = 0;

	(void)data;
	seam_close();
	g_assert_cmpint(read(seam, &byte, 1), ==, -1);
	g_assert_cmpint(errno, ==, EBADF);
	g_assert_cmpint(write(seam, &byte, 1), ==, -1);
	g_assert_cmpint(errno, ==, EBADF);
	g_assert_cmpint(connect_to_nothing(seam), ==, -1);
	g_assert_cmpint(errno, ==, EBADF);
	g_assert_cmpint(poll(&pollfd, 1, 0), ==, 1);
	g_assert_cmpint(pollfd.revents, ==, POLLNVAL);
	fd = plain_socket();
	assert_real(fd);
	/* Who opens it has it again. */
	seam_open(&fixture->seam);
	g_assert_cmpint(plain_socket(), ==, seam);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*test)(struct fixture *fixture, gconstpointer data);
	} tests[] = {
	    {"/all of a socket", test_socket},
	    {"/does not wait", test_time_out},
	    {"/others, and other threads', are real", test_others},
	    {"/closed, and opened again", test_closed},
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, struct fixture, NULL, set_up,
		    tests[i].test, tear_down);
	return g_test_run();
}
