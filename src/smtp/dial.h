/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections with a deadline and a source address, and the seam through
 * which libESMTP is given one that is open already.
 */
#ifndef SMTPROUTE_DIAL_H
#define SMTPROUTE_DIAL_H

#include <glib.h>

#include "address/endpoint.h"

#define DIAL_ERROR (dial_error_quark())

enum dial_error {
	DIAL_ERROR_FAILED,
	DIAL_ERROR_TIMEOUT, /* the caller knows which deadline it was */
	DIAL_ERROR_LOCAL,   /* for want of something on this machine */
	DIAL_ERROR_REFUSED, /* by the host */
};

GQuark
dial_error_quark(void);

/*
 * Connects to @to by @deadline, from @from if it is not NULL (its port is
 * ignored).  Returns a non-blocking, close-on-exec socket with TCP_NODELAY,
 * or -1 with DIAL_ERROR.
 */
int
dial(const struct endpoint *to, const struct endpoint *from, gint64 deadline,
    GError **error);

/*
 * The seam.  libESMTP has no call that takes an open socket, but it calls
 * socket(2) and connect(2) as any program does, and finds the definitions in
 * dial.c.  After dial_seam(fd) the next socket() of the calling thread is a
 * duplicate of @fd, close-on-exec, and connect() of that succeeds at once,
 * once; all else, and other threads', are the real calls.  dial_seam(-1): these
 * two, too.
 */
void
dial_seam(int fd);

#endif
