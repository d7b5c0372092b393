/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Portions: by its rate a host may have a message for some of its recipients
 * only.  The others go to the next host, or to the same one later; those that
 * it has deferred do not come to it again.
 */
#ifndef SMTPROUTE_PORTION_H
#define SMTPROUTE_PORTION_H

#include <glib.h>

#include "agent/plan.h"
#include "smtp/outcome.h"

/* All zero: no host had a portion only. */
struct portion {
	GArray *untried;   /* of guint, who the current host did not get
			    * since it is at its rate; NULL: nobody */
	GArray *answered;  /* of guint, who the current host has had; NULL:
			    * nobody */
	GHashTable *tried; /* who other such hosts did get */
};

/*
 * Leaves in @rids (of guint) those who may be in the next transaction at the
 * current host, and puts the others into *later.  FALSE: it is at its rate;
 * those that it has not had are portion->untried.
 */
gboolean
portion_take(struct portion *portion, struct hoststate *state, GArray *rids,
    GArray *later);

/* The current host is at its rate, and @rids have not had their turn. */
void
portion_miss(struct portion *portion, const GArray *rids);

/* The current host has answered for @rids, at one address. */
void
portion_note(struct portion *portion, const GArray *rids);

/* Those of @open that @destination has not had, a new array. */
GArray *
portion_new_to(const struct portion *portion,
    const struct destination *destination, const GArray *open);

/*
 * The current host is left.  If some were not tried there it may be chosen
 * again, for them alone.
 */
void
portion_leave(struct portion *portion, struct plan *plan, const GArray *open);

/*
 * Moves to *again those that were too many for one transaction, if others
 * were not: the same host may take them in another one (RFC 5321 section
 * 4.5.3.1.10).  @outcomes: one for each in @rids, in their order, before and
 * after.
 */
void
portion_part(GArray *rids, struct outcome *outcomes, GArray *again);

/* Frees what it holds. */
void
portion_clear(struct portion *portion);

#endif
