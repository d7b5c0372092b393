/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Due: when hosts that were at their rate, and that messages wait for, can be
 * had again.  Nobody delivers to them until then, so nobody notices; whoever
 * comes by after it wakes the messages.
 */
#ifndef SMTPROUTE_DUE_H
#define SMTPROUTE_DUE_H

#include <glib.h>

#include "hosts/statefile.h"

/* What is kept of one host. */
struct due {
	gint64 time;   /* health_now() */
	guint32 count; /* so many messages may be tried */
};

void
due_set(struct statefile_view *view, const char *name, guint16 port,
    const struct due *due);

/* Is any host due by @now?  Changes nothing. */
gboolean
due_any(struct statefile_view *view, gint64 now);

/*
 * Takes a host away that is due by @now.  FALSE: there is none.  *ret_name is
 * a new string.
 */
gboolean
due_take(struct statefile_view *view, gint64 now, char **ret_name,
    guint16 *ret_port, guint *ret_count);

#endif
