/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deliveries as the shared state sees them.  Hosts have letters, A to D, and
 * port 25; in a route each may have options of one figure: "A B/5 C*3 D=2" are
 * priority, weight and max-connections.
 */
#ifndef SMTPROUTE_TRIP_H
#define SMTPROUTE_TRIP_H

#include "hosts/hoststate.h"
#include "unit/statefolder.h"

#define TRIP_HOSTS 4

/* No host is due again while a test runs. */
extern const struct health_limits trip_limits;

/* Room for TRIP_HOSTS.  Returns how many there are. */
guint
trip_route(const char *text, struct contender *contenders);

/* A new handle, as good as a process. */
struct hoststate *
trip_new(const struct statefolder *place);

/* Goes to the next host.  '-': there is none. */
char
trip_choose(struct hoststate *state, struct contender *contenders, guint count);

/* '+': delivered, '-': refused, '!': our own trouble, '.': nothing. */
struct departure
trip_leave(struct hoststate *state, char how);

/*
 * One delivery, a process of its own: the hosts that it comes to while they do
 * as the letters of @how say, one after another.
 */
char *
trip_deliver(const struct statefolder *place, const char *route,
    const char *how);

/* "drain", "resume" or "retry", which must change something. */
void
trip_order(const struct statefolder *place, const char *order, char host);

/* Its time has come, as if it had passed. */
void
trip_make_due(const struct statefolder *place, char host);

/* How many are connected with A, the first host there is. */
guint
trip_connected(const struct statefolder *place);

/*
 * The names of all hosts that the state has, or only of those that are drained,
 * up to their first dots: "a b".
 */
char *
trip_hosts(const struct statefolder *place, gboolean drained);

void
trip_assert_no_warning(struct hoststate *state);

#endif
