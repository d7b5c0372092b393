/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "hosts/balance.h"
#include "hosts/rotation.h"
#include "hosts/slots.h"

guint
balance_missing(const struct hostrecord *record, gint64 slow_start, gint64 now)
{
	gint64 up = now - record->health.up;

	if (slow_start <= 0 || record->health.up == 0 ||
	    record->outage <= slow_start || up < 0 || up >= slow_start)
		return 0;
	return BALANCE_STEPS - 1 -
	    (guint)(up * (BALANCE_STEPS - 1) / slow_start);
}

static void
count_sessions(struct statefile_view *view, struct contender *contender)
{
	g_autofree char *key =
	    slots_connected_key(contender->name, contender->port);

	contender->connected = slots_count_busy(view, key);
}

/* Has @a fewer sessions for its weight than @b? */
static gboolean
is_idler(const struct contender *a, guint weight_a, const struct contender *b,
    guint weight_b)
{
	return (guint64)a->connected * weight_b <
	    (guint64)b->connected * weight_a;
}

/* Leaves those with the fewest sessions for their weight. */
static void
keep_idlest(const struct contender *group, guint *weights, guint count)
{
	guint best = count;

	for (guint i = 0; i < count; i++) {
		if (weights[i] > 0 &&
		    (best == count ||
			is_idler(&group[i], weights[i], &group[best],
			    weights[best])))
			best = i;
	}
	for (guint i = 0; i < count; i++) {
		if (weights[i] > 0 &&
		    is_idler(&group[best], weights[best], &group[i],
			weights[i]))
			weights[i] = 0;
	}
}

guint *
balance_weights(struct statefile_view *view, struct contender *group,
    guint count)
{
	guint *weights = rotation_weights(group, count);

	if (weights == NULL)
		return NULL;
	for (guint i = 0; i < count; i++)
		weights[i] -= weights[i] / BALANCE_STEPS * group[i].missing;
	if (view == NULL || !group[0].leastconn)
		return weights;
	for (guint i = 0; i < count; i++) {
		if (weights[i] > 0)
			count_sessions(view, &group[i]);
	}
	keep_idlest(group, weights, count);
	return weights;
}
