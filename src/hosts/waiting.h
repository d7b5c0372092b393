/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting: deliveries that stay until a host of their route can be had.  All
 * processes count them, host by host.
 */
#ifndef SMTPROUTE_WAITING_H
#define SMTPROUTE_WAITING_H

#include <glib.h>

#include "hosts/contender.h"
#include "hosts/hoststate.h"
#include "hosts/statefile.h"

/* What one delivery waits for. */
struct waiting {
	GPtrArray *keys; /* the lists (slots.h) that its ticket is in */
	gboolean first;  /* those of who goes first among them */
};

void
waiting_init(struct waiting *waiting);

/*
 * By the standing of all contenders; @span: how long is still to be waited.
 * Slots that are held are free in a moment, for which there is always time.
 */
enum prospect
waiting_prospect(const struct contender *contenders, guint count, gint64 span);

/* Are all of them down or at their rate, and wait @max others already? */
gboolean
waiting_is_crowded(struct statefile_view *view, guint64 ticket,
    const struct contender *contenders, guint count, guint max);

/*
 * Has @ticket in the lists of all hosts that can still be had.  FALSE: all
 * are down or at their rate, and @max others wait for them already.
 */
gboolean
waiting_join(struct waiting *waiting, struct statefile_view *view,
    guint64 ticket, const struct contender *contenders, guint count, guint max);

/* Has @ticket, which has joined, among those who go first, too. */
void
waiting_go_first(struct waiting *waiting, struct statefile_view *view,
    guint64 ticket, const struct contender *contenders, guint count);

void
waiting_leave(struct waiting *waiting, struct statefile_view *view,
    guint64 ticket);

/* Frees what it holds; the lists forget a ticket with its process. */
void
waiting_clear(struct waiting *waiting);

#endif
