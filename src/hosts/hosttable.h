/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shared state of hosts as an administrator sees and changes it.  Unlike
 * a delivery, this has to say when there is none.
 */
#ifndef SMTPROUTE_HOSTTABLE_H
#define SMTPROUTE_HOSTTABLE_H

#include <glib.h>

#include "hosts/health.h"
#include "hosts/hostrecord.h"
#include "hosts/tally.h"

struct hosttable_row {
	char *name; /* canonical, without brackets */
	guint16 port;
	struct hostrecord record;
	gint64 wait;         /* health_wait(): microseconds, 0 if up or due */
	gboolean probed;     /* down, and a process is finding out */
	gboolean tls_hangs;  /* it gets none that may be done without */
	guint connected;     /* now */
	guint waiting;       /* deliveries, until they can be connected */
	struct tally *tally; /* what counts for its rates; NULL: nothing */
	guint capacity; /* sessions it takes, as learnt; G_MAXUINT: unknown */
};

/*
 * All hosts that are remembered, by name and port; needs no right but to read
 * the file.  Nothing written yet: no rows.  NULL with STATEFILE_ERROR.
 */
GPtrArray *
hosttable_read(const char *directory, const struct health_limits *limits,
    GError **error);

enum hosttable_order {
	HOSTTABLE_DRAIN,
	HOSTTABLE_RESUME, /* no longer drained, and as for _RETRY */
	HOSTTABLE_RETRY,  /* up, as if it had never failed, also in TLS */
	HOSTTABLE_FORGET, /* as if there had never been any mail for it, but for
			   * what counts for its rates */
};

/*
 * Carries out @order.  A host that nothing is known of can be drained too.
 * FALSE with STATEFILE_ERROR; *ret_changed: was it not so already?
 */
gboolean
hosttable_order(const char *directory, const char *name, guint16 port,
    enum hosttable_order order, gboolean *ret_changed, GError **error);

#endif
