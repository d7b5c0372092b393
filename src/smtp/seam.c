/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "smtp/seam.h"

/* No open file has this number: the limit of all limits is below it. */
#define SEAM INT_MAX

/* NULL: none. */
static _Thread_local struct seam *here;

/*
 * These take the place of libc's for the libraries too: the dynamic linker
 * finds the program's definitions first, if they are seen from outside.  It
 * alone knows them by these names: what headers make of those, with
 * _FORTIFY_SOURCE, is not about them; what it may have made of them in
 * libESMTP, when that was built, is the two last ones.
 */
#define SEAM_AS(name) __asm__(name) __attribute__((visibility("default")))

int
seam_socket(int domain, int type, int protocol) SEAM_AS("socket");

int
seam_connect(int fd, const struct sockaddr *address, socklen_t length)
    SEAM_AS("connect");

int
seam_poll(struct pollfd *fds, nfds_t count, int timeout) SEAM_AS("poll");

ssize_t
seam_read(int fd, void *data, size_t length) SEAM_AS("read");

ssize_t
seam_write(int fd, const void *data, size_t length) SEAM_AS("write");

int
seam_poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size)
    SEAM_AS("__poll_chk");

ssize_t
seam_read_chk(int fd, void *data, size_t length, size_t size)
    SEAM_AS("__read_chk");

/* libc's, or whose they are that come before. */
static struct next {
	__typeof__(&seam_socket) socket;
	__typeof__(&seam_connect) connect;
	__typeof__(&seam_poll) poll;
	__typeof__(&seam_read) read;
	__typeof__(&seam_write) write;
	__typeof__(&seam_poll_chk) poll_chk;
	__typeof__(&seam_read_chk) read_chk;
} found;

/* Before main(), lest a signal's handler has to: dlsym(3) is not for those. */
static void
find_next(void) __attribute__((constructor));

static void
find_next(void)
{
	found.socket = dlsym(RTLD_NEXT, "socket");
	found.connect = dlsym(RTLD_NEXT, "connect");
	found.poll = dlsym(RTLD_NEXT, "poll");
	found.read = dlsym(RTLD_NEXT, "read");
	found.write = dlsym(RTLD_NEXT, "write");
	found.poll_chk = dlsym(RTLD_NEXT, "__poll_chk");
	found.read_chk = dlsym(RTLD_NEXT, "__read_chk");
}

/* A library may call one before that, when there are no threads either. */
static const struct next *
next(void)
{
	if (found.write == NULL)
		find_next();
	return &found;
}

void
seam_open(struct seam *seam)
{
	here = seam;
	here->taken = FALSE;
}

void
seam_close(void)
{
	here = NULL;
}

static gboolean
is_seam(int fd)
{
	return fd == SEAM && here != NULL;
}

static gboolean
is_seam_first(const struct pollfd *fds, nfds_t count)
{
	return count > 0 && is_seam(fds[0].fd);
}

int
seam_socket(int domain, int type, int protocol)
{
	if (here == NULL || here->taken)
		return next()->socket(domain, type, protocol);
	here->taken = TRUE;
	return SEAM;
}

int
seam_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	return is_seam(fd) ? 0 : next()->connect(fd, address, length);
}

/* There is always room. */
int
seam_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	short ready = POLLOUT;
	int events = 0;

	if (!is_seam_first(fds, count))
		return next()->poll(fds, count, timeout);
	if (here->input->len > 0)
		ready |= POLLIN;
	for (nfds_t i = 0; i < count; i++) {
		fds[i].revents = (short)(fds[i].events & ready);
		events += fds[i].revents != 0;
	}
	return events;
}

ssize_t
seam_read(int fd, void *data, size_t length)
{
	if (!is_seam(fd))
		return next()->read(fd, data, length);
	if (here->input->len == 0) {
		errno = EAGAIN;
		return -1;
	}
	length = MIN(length, here->input->len);
	memcpy(data, here->input->str, length);
	g_string_erase(here->input, 0, (gssize)length);
	return (ssize_t)length;
}

ssize_t
seam_write(int fd, const void *data, size_t length)
{
	if (!is_seam(fd))
		return next()->write(fd, data, length);
	here->written(data, length, here->data);
	return (ssize_t)length;
}

int
seam_poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size)
{
	return is_seam_first(fds, count)
	    ? seam_poll(fds, count, timeout)
	    : next()->poll_chk(fds, count, timeout, size);
}

ssize_t
seam_read_chk(int fd, void *data, size_t length, size_t size)
{
	return is_seam(fd) ? seam_read(fd, data, length)
			   : next()->read_chk(fd, data, length, size);
}
