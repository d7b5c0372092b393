/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rotation: whose turn it is in a group of hosts, those of a route with the
 * same priority.
 */
#ifndef SMTPROUTE_ROTATION_H
#define SMTPROUTE_ROTATION_H

#include <glib.h>

#include "hosts/contender.h"
#include "hosts/statefile.h"

/*
 * Nobody remembers whose turn it is in a larger group: the record would be
 * written with each delivery.  In so many, chance is as even.
 */
#define ROTATION_MEMBERS_MAX 250

/*
 * Smooth weighted round robin.  Every member gains its weight, the one that
 * has most is picked and pays what all have gained: with weights 3 and 1 that
 * makes A A B A, and who was left out (weight 0) for a while has neither
 * gained nor lost.
 *
 * @standing: one number for each member, kept from pick to pick, zero at
 * first.  None goes beyond the sum of all weights, either way.  Returns the
 * index, @count if all weights are 0.
 */
guint
rotation_pick(gint32 *standing, const guint *weights, guint count);

/* The same without any memory: at random by weight. */
guint
rotation_draw(const guint *weights, guint count);

/*
 * The weights of a group of hosts: 0 for those who cannot be had.  A new
 * array, NULL: nobody can be had.
 */
guint *
rotation_weights(const struct contender *group, guint count);

/*
 * What rotation_pick() goes by for this group, from the state file: it is
 * known by its hosts, whatever the route.  A new array.  @view: NULL: nothing
 * has been written yet.
 */
gint32 *
rotation_load(struct statefile_view *view, const struct contender *group,
    guint count);

/*
 * rotation_pick() for this group, and the state file remembers it; but
 * rotation_draw() for more than ROTATION_MEMBERS_MAX.  At least one of
 * @weights is not 0.
 */
guint
rotation_take(struct statefile_view *view, const struct contender *group,
    const guint *weights, guint count);

#endif
