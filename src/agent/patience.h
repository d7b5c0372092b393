/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Patience: how a delivery waits when nothing of its route can be had just
 * now.  A deferral costs at least five minutes in Postfix's queue, and what
 * is waited for comes in seconds.
 */
#ifndef SMTPROUTE_PATIENCE_H
#define SMTPROUTE_PATIENCE_H

#include <glib.h>

#include "hosts/hoststate.h"

struct patience {
	gint64 span;   /* microseconds, for the whole delivery */
	gint64 left;   /* likewise, for the rest of it */
	guint waiting; /* so many may wait where all hosts are down */
	gboolean told; /* the log knows */
};

/*
 * Waits, until @deadline at most.  TRUE: hoststate_choose() may find something
 * among @contenders (of struct contender).  A wait of more than a second is
 * logged.
 */
gboolean
patience_wait(struct patience *patience, struct hoststate *state,
    GArray *contenders, gint64 deadline);

/*
 * MAIL is about to be said to the chosen host, and waits here until there is
 * room for it by the host's rate.  @opened: as for hoststate_claim().  FALSE:
 * there is none soon enough.
 */
gboolean
patience_claim(struct hoststate *state, gboolean opened, gint64 deadline);

/*
 * The contender has refused this delivery because it was full.  Is there
 * patience left to try it again?  Then it is full until that makes sense.
 */
gboolean
patience_keeps(const struct patience *patience, struct contender *contender);

#endif
