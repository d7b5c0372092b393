/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deferred: the messages that wait in Postfix's queue because hosts of their
 * route could not be had, so that they can be tried as soon as one can.
 *
 * They are kept by route, and for each of these hosts there is a note that the
 * route waits for it.
 */
#ifndef SMTPROUTE_DEFERRED_H
#define SMTPROUTE_DEFERRED_H

#include <glib.h>

#include "hosts/contender.h"
#include "hosts/statefile.h"

/* Beyond that the oldest are forgotten. */
#define DEFERRED_MAX 10000

/* Longer than any queue id of Postfix's. */
#define DEFERRED_ID_MAX 64

/*
 * A message is not taken before it is so old: until then Postfix may not have
 * heard that it is deferred, and would take it for one under way.
 */
#define DEFERRED_AGE_MIN G_USEC_PER_SEC

/* Is it a queue id, and no option of some command? */
gboolean
deferred_is_id(const char *id);

/* What a route is known by: its hosts.  A new string. */
char *
deferred_route(const struct contender *contenders, guint count);

/* Is there any message?  Costs next to nothing. */
gboolean
deferred_any(struct statefile_view *view);

/* The message waits for all @contenders that cannot be had. */
void
deferred_add(struct statefile_view *view, const char *id,
    const struct contender *contenders, guint count);

/* It waits no longer, at this route. */
void
deferred_remove(struct statefile_view *view, const char *id, const char *route);

/* Do messages wait for the host? */
gboolean
deferred_waits_for(struct statefile_view *view, const char *name, guint16 port);

/*
 * Takes messages that wait for the host away: @max at most, their ids appended
 * to @ids, new strings.  TRUE: there are others, but too young.
 */
gboolean
deferred_take(struct statefile_view *view, const char *name, guint16 port,
    guint max, GPtrArray *ids);

/*
 * All messages, in no order: @route is what its route is known by, @time when
 * it was deferred (real time, microseconds).
 */
void
deferred_each(struct statefile_view *view,
    void (*visit)(const char *route, gint64 time, void *data), void *data);

/* How many were taken, since the state was begun. */
guint64
deferred_taken(struct statefile_view *view);

#endif
