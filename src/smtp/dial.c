/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "smtp/dial.h"
#include "util/autofd.h"
#include "util/deadline.h"

G_DEFINE_QUARK(smtproute_dial_error, dial_error)

/* Is it for want of something here, whoever is at the other end? */
static gboolean
is_local(int code)
{
	return code == EADDRNOTAVAIL || code == EMFILE || code == ENFILE ||
	    code == ENOBUFS || code == ENOMEM;
}

static int
fail(GError **error, const char *what, int code)
{
	g_set_error(error, DIAL_ERROR,
	    is_local(code)             ? DIAL_ERROR_LOCAL
		: code == ECONNREFUSED ? DIAL_ERROR_REFUSED
				       : DIAL_ERROR_FAILED,
	    "%s%s", what, g_strerror(code));
	return -1;
}

static int
fail_bind(GError **error, const struct endpoint *from, int code)
{
	char address[ENDPOINT_TEXT_SIZE];

	endpoint_text(from, address);
	g_set_error(error, DIAL_ERROR, DIAL_ERROR_LOCAL, "bind=%s: %s", address,
	    g_strerror(code));
	return -1;
}

/* Waits for a connection under way.  Returns an errno, 0: connected. */
static int
await_connected(int fd, gint64 deadline)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLOUT};
	socklen_t size = sizeof(int);
	int result = 0;
	int ready;

	ready = deadline_poll(&pollfd, 1, deadline);
	if (ready < 0)
		return errno;
	if (ready == 0)
		return ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &result, &size) < 0)
		return errno;
	return result;
}

/*
 * Without a port: it is chosen by connect(), which may then use one for
 * several destinations.
 */
static int
bind_source(int fd, const struct endpoint *from)
{
	struct endpoint source = *from;
	int on = 1;

	endpoint_set_port(&source, 0);
#ifdef IP_BIND_ADDRESS_NO_PORT
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
#endif
	return bind(fd, &source.sa.any, source.length);
}

int
dial(const struct endpoint *to, const struct endpoint *from, gint64 deadline,
    GError **error)
{
	autofd fd = -1;
	int on = 1;
	int code = 0;

	fd = socket(endpoint_family(to),
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(error, "socket: ", errno);
	if (from != NULL && bind_source(fd, from) < 0)
		return fail_bind(error, from, errno);
	/*
	 * The end of the content must not wait for the acknowledgement of
	 * what was sent before it.
	 */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, &to->sa.any, to->length) < 0)
		code = errno;
	/* EINTR too leaves it under way (POSIX connect()). */
	if (code == EINPROGRESS || code == EINTR)
		code = await_connected(fd, deadline);
	if (code == ETIMEDOUT && deadline_left(deadline) == 0) {
		g_set_error(error, DIAL_ERROR, DIAL_ERROR_TIMEOUT, "timed out");
		return -1;
	}
	if (code != 0)
		return fail(error, "", code);
	return autofd_steal(&fd);
}
