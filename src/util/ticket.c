/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <fcntl.h>
#include <unistd.h>

#include "util/ticket.h"

/* Far behind whatever the file may hold: 2^40 to 2^62. */
#define TICKET_MIN (G_GUINT64_CONSTANT(1) << 40)
#define TICKET_MAX (G_GUINT64_CONSTANT(1) << 62)

/* Two processes at one number are unlikely, even among millions. */
#define TRIES 8

/* Tickets are even; the byte behind each is that of its mark. */
#define MARK 1

static struct flock
byte_at(guint64 ticket)
{
	return (struct flock){
	    .l_type = F_WRLCK,
	    .l_whence = SEEK_SET,
	    .l_start = (off_t)ticket,
	    .l_len = 1,
	};
}

guint64
ticket_take(int fd)
{
	for (int i = 0; i < TRIES; i++) {
		guint64 ticket;
		struct flock lock;

		if (getentropy(&ticket, sizeof(ticket)) < 0)
			return 0;
		ticket = TICKET_MIN + ticket % (TICKET_MAX - TICKET_MIN);
		ticket &= ~(guint64)MARK;
		lock = byte_at(ticket);
		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			return ticket;
	}
	return 0;
}

gboolean
ticket_is_alive(int fd, guint64 ticket)
{
	struct flock lock;

	if (ticket < TICKET_MIN || ticket >= TICKET_MAX)
		return FALSE;
	lock = byte_at(ticket);
	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

void
ticket_mark(int fd, guint64 ticket, gboolean marked)
{
	struct flock lock = byte_at(ticket | MARK);

	lock.l_type = marked ? F_WRLCK : F_UNLCK;
	fcntl(fd, F_OFD_SETLK, &lock);
}

gboolean
ticket_is_marked(int fd, guint64 ticket)
{
	return ticket_is_alive(fd, ticket | MARK);
}
