/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>

#include "smtp/dial.h"
#include "util/autofd.h"
#include "util/deadline.h"

#define FOREVER (deadline_in(G_TIME_SPAN_MINUTE * 10))

/* Connections that fill a backlog of 0: Linux needs one, others a few. */
#define BACKLOG_FILL 64

/* @address with a port that is free. */
static struct endpoint
endpoint_at(const char *address)
{
	struct endpoint endpoint;

	g_assert_true(endpoint_parse(address, 0, &endpoint));
	return endpoint;
}

/* A socket of the endpoint, whose port it gets; -1: no such address here. */
static int
bound_at(struct endpoint *endpoint)
{
	autofd fd =
	    socket(endpoint_family(endpoint), SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, &endpoint->sa.any, endpoint->length) < 0)
		return -1;
	g_assert_no_errno(
	    getsockname(fd, &endpoint->sa.any, &endpoint->length));
	return autofd_steal(&fd);
}

static int
listener_at(struct endpoint *endpoint, int backlog)
{
	int fd = bound_at(endpoint);

	if (fd >= 0)
		g_assert_no_errno(listen(fd, backlog));
	return fd;
}

static void
assert_flag(int fd, int level, int option)
{
	socklen_t size = sizeof(int);
	int value = 0;

	g_assert_no_errno(getsockopt(fd, level, option, &value, &size));
	g_assert_cmpint(value, !=, 0);
}

/* Two ends of one connection: what goes in there comes out here. */
static void
assert_connected(int in, int out)
{
	char byte = 'x';

	g_assert_cmpint(send(in, &byte, 1, MSG_NOSIGNAL), ==, 1);
	byte = '\0';
	g_assert_cmpint(recv(out, &byte, 1, 0), ==, 1);
	g_assert_cmpint(byte, ==, 'x');
}

static void
test_address(gconstpointer data)
{
	const char *address = data;
	struct endpoint to = endpoint_at(address);
	autofd listener = listener_at(&to, 5);
	autofd accepted = -1;
	autofd fd = -1;
	g_autoptr(GError) error = NULL;

	if (listener < 0) {
		g_test_skip("no such address here");
		return;
	}
	fd = dial(&to, NULL, FOREVER, &error);
	g_assert_no_error(error);
	accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_connected(fd, accepted);
	g_assert_cmpint(fcntl(fd, F_GETFL) & O_NONBLOCK, !=, 0);
	g_assert_cmpint(fcntl(fd, F_GETFD), ==, FD_CLOEXEC);
	assert_flag(fd, IPPROTO_TCP, TCP_NODELAY);
}

static void
assert_fails(const struct endpoint *to, const struct endpoint *from,
    enum dial_error code, const char *message)
{
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(dial(to, from, FOREVER, &error), ==, -1);
	g_assert_error(error, DIAL_ERROR, (gint)code);
	g_assert_cmpstr(error->message, ==, message);
}

/* The port is bound, so that nobody else listens there. */
static void
test_refused(void)
{
	struct endpoint to = endpoint_at("127.0.0.1");
	autofd bound = bound_at(&to);

	g_assert_cmpint(bound, >=, 0);
	assert_fails(&to, NULL, DIAL_ERROR_REFUSED, "Connection refused");
}

static void
test_bind(void)
{
	struct endpoint to = endpoint_at("127.0.0.1");
	struct endpoint from = endpoint_at("127.0.0.2");
	struct endpoint seen = {.length = sizeof(seen.sa)};
	autofd listener = listener_at(&to, 5);
	autofd accepted = -1;
	autofd fd = -1;
	g_autoptr(GError) error = NULL;
	char text[ENDPOINT_TEXT_SIZE];

	fd = dial(&to, &from, FOREVER, &error);
	g_assert_no_error(error);
	accepted = accept4(listener, &seen.sa.any, &seen.length, SOCK_CLOEXEC);
	g_assert_cmpint(accepted, >=, 0);
	endpoint_text(&seen, text);
	g_assert_cmpstr(text, ==, "127.0.0.2");
}

/* The port of the source is ignored: another socket has it here. */
static void
test_bind_port(void)
{
	struct endpoint to = endpoint_at("127.0.0.1");
	struct endpoint from = endpoint_at("127.0.0.2");
	autofd listener = listener_at(&to, 5);
	autofd other = listener_at(&from, 5);
	autofd fd = -1;
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(listener, >=, 0);
	g_assert_cmpint(other, >=, 0);
	fd = dial(&to, &from, FOREVER, &error);
	g_assert_no_error(error);
	g_assert_cmpint(fd, >=, 0);
}

/* 192.0.2.0/24 is nobody's (RFC 5737). */
static void
test_bind_foreign(void)
{
	struct endpoint to = endpoint_at("127.0.0.1");
	struct endpoint from = endpoint_at("192.0.2.1");
	autofd listener = listener_at(&to, 5);

	g_assert_cmpint(listener, >=, 0);
	assert_fails(&to, &from, DIAL_ERROR_LOCAL,
	    "bind=192.0.2.1: Cannot assign requested address");
}

static void
test_bind_other_family(void)
{
	struct endpoint to = endpoint_at("127.0.0.1");
	struct endpoint from = endpoint_at("::1");
	autofd listener = listener_at(&to, 5);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(listener, >=, 0);
	g_assert_cmpint(dial(&to, &from, FOREVER, &error), ==, -1);
	g_assert_error(error, DIAL_ERROR, DIAL_ERROR_LOCAL);
	g_assert_true(g_str_has_prefix(error->message, "bind="));
}

static void
test_no_descriptor(void)
{
	struct endpoint nowhere = endpoint_at("127.0.0.1");

	nowhere.sa.any.sa_family = AF_UNSPEC;
	assert_fails(&nowhere, NULL, DIAL_ERROR_FAILED,
	    "socket: Address family not supported by protocol");
}

/* A full backlog: further connections neither succeed nor fail. */
static void
test_deadline(void)
{
	struct endpoint to = endpoint_at("127.0.0.1");
	autofd listener = listener_at(&to, 0);
	int fill[BACKLOG_FILL];
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(listener, >=, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(fill); i++) {
		fill[i] = socket(AF_INET,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (connect(fill[i], &to.sa.any, to.length) < 0)
			g_assert_cmpint(errno, ==, EINPROGRESS);
	}
	g_assert_cmpint(dial(&to, NULL, deadline_in(1000), &error), ==, -1);
	g_assert_error(error, DIAL_ERROR, DIAL_ERROR_TIMEOUT);
	for (gsize i = 0; i < G_N_ELEMENTS(fill); i++)
		close(fill[i]);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/connects/IPv4", "127.0.0.1", test_address);
	g_test_add_data_func("/connects/IPv6", "::1", test_address);
	g_test_add_func("/connects/from another address", test_bind);
	g_test_add_func("/connects/whatever the source's port", test_bind_port);
	g_test_add_func("/fails/refused", test_refused);
	g_test_add_func("/fails/from a foreign address", test_bind_foreign);
	g_test_add_func("/fails/from another family", test_bind_other_family);
	g_test_add_func("/fails/no socket", test_no_descriptor);
	g_test_add_func("/fails/no answer in time", test_deadline);
	return g_test_run();
}
