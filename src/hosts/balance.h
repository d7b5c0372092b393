/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Balance: what part each host of a group has in the next choice, beside its
 * turns (rotation.h).
 *
 * With slow-start the weights of contenders are BALANCE_STEPS times those of
 * the route; a host that was down for longer than that begins with one step of
 * its weight and has all of it after that time.
 *
 * With leastconn only those have a part that have the fewest sessions for
 * their weight: what is slow keeps its sessions for longer, and draws no more
 * than it can do.
 */
#ifndef SMTPROUTE_BALANCE_H
#define SMTPROUTE_BALANCE_H

#include <glib.h>

#include "hosts/contender.h"

#define BALANCE_STEPS 16

/* How many steps of its share the host is to do without just now. */
guint
balance_missing(const struct hostrecord *record, gint64 slow_start, gint64 now);

/*
 * The weights of a group: 0 for those who have no part.  A new array, NULL:
 * nobody can be had.  @view: NULL: sessions are not known.
 */
guint *
balance_weights(struct statefile_view *view, struct contender *group,
    guint count);

#endif
