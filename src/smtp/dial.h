/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections with a deadline and a source address.
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

#endif
