/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holdings: the slots of hosts that this process holds from one message to the
 * next, one for each connection that it keeps.
 *
 * Others who wait for a slot get it at once if nothing goes over the connection
 * (hoststate_yield()), and else within HOLDINGS_SHARE.  Where a host has a
 * limit nothing is held while the process is busy elsewhere, for nobody could
 * have it.
 *
 * A connection is always closed before its slot is given up, so that the host
 * never has more of them than slots.
 */
#ifndef SMTPROUTE_HOLDINGS_H
#define SMTPROUTE_HOLDINGS_H

#include <glib.h>

#include "hosts/contender.h"
#include "hosts/statefile.h"

/* For how long a process that others wait for goes on with the next message. */
#define HOLDINGS_SHARE (G_USEC_PER_SEC / 4)

/* Slots of one host. */
struct holding {
	char *name;
	guint16 port;
	gboolean limited; /* by max-connections, or by what was learnt */
	gint64 since;     /* health_now() */
	guint count;
	guint surplus; /* of these, to be given up */
};

struct holdings {
	GPtrArray *all;       /* of struct holding */
	char *yielded;        /* the host that others go first at; NULL: none */
	gint64 yielded_until; /* health_now() */
	gint64 look;          /* when hoststate_yield() looks next */
};

struct hoststate;

void
holdings_init(struct holdings *holdings);

/* Has the host room for this process, by its limit? */
gboolean
holdings_have_room(const struct hoststate *state, struct statefile_view *view,
    const struct contender *contender);

/*
 * The slot of a host that is held becomes that of the chosen host.  FALSE: none
 * is.
 *
 * @counted: somebody counts the sessions of hosts.  Else, where no limit says
 * who can have a slot, it stays held in the file, which saves every message a
 * change of it.
 */
gboolean
holdings_resume(struct hoststate *state, struct statefile_view *view,
    gboolean counted);

/* The chosen host is left with a connection, whose slot is held from now on. */
void
holdings_hold(struct hoststate *state, struct statefile_view *view);

/*
 * This process turns to the chosen host, or waits for one (NULL): of all others
 * that have a limit it gives its slots up.
 */
void
holdings_turn_away(struct hoststate *state, struct statefile_view *view,
    const struct contender *chosen);

/* Forgets all: nobody knows of them any more. */
void
holdings_forget(struct holdings *holdings);

void
holdings_clear(struct holdings *holdings);

/* Those of all hosts; of struct holding. */
const GPtrArray *
hoststate_holdings(const struct hoststate *state);

/* How many slots of the host are held. */
guint
hoststate_held(const struct hoststate *state, const char *name, guint16 port);

/*
 * Has the chosen host room for one more connection of this process?  Then it is
 * held.
 */
gboolean
hoststate_widen(struct hoststate *state);

/*
 * Sets the surplus of hosts that others wait for.  Looks no oftener than is of
 * use; returns when it wants to be called again, as a deadline.
 */
gint64
hoststate_yield(struct hoststate *state);

/* Of the host's slots only @kept are held from now on. */
void
hoststate_give_up(struct hoststate *state, const char *name, guint16 port,
    guint kept);

#endif
