/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "hosts/rotation.h"
#include "hosts/sweep.h"

#define GROUP_PREFIX "group "

guint
rotation_pick(gint32 *standing, const guint *weights, guint count)
{
	gint32 total = 0;
	guint best = count;

	for (guint i = 0; i < count; i++) {
		if (weights[i] == 0)
			continue;
		standing[i] += (gint32)weights[i];
		total += (gint32)weights[i];
		if (best == count || standing[i] > standing[best])
			best = i;
	}
	if (best < count)
		standing[best] -= total;
	return best;
}

guint
rotation_draw(const guint *weights, guint count)
{
	guint total = 0;
	guint point;

	for (guint i = 0; i < count; i++)
		total += weights[i];
	if (total == 0)
		return count;
	point = (guint)g_random_int_range(0, (gint32)total);
	for (guint i = 0; i < count; i++) {
		if (point < weights[i])
			return i;
		point -= weights[i];
	}
	return count;
}

/*
 * Deliveries that have tried some members already take part in a rotation of
 * their own.  In the same one they would disturb the turns of the others: who
 * comes after a host that never takes a message would get most of what that
 * leaves.
 */
static char *
group_key(const struct contender *group, guint count)
{
	g_autoptr(GString) members = g_string_new(NULL);
	g_autofree char *sum = NULL;

	for (guint i = 0; i < count; i++)
		g_string_append_printf(members, "%s:%u/%u%s,", group[i].name,
		    group[i].port, group[i].weight,
		    group[i].standing == STANDING_TRIED ? "/tried" : "");
	sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, members->str,
	    (gssize)members->len);
	return g_strconcat(GROUP_PREFIX, sum, NULL);
}

/* A record: the time of last use (sweep.h), and the turns. */
static gsize
record_size(guint count)
{
	return sizeof(gint64) + count * sizeof(gint32);
}

/* What was read may be damaged; nobody is ahead by more than a round. */
static void
limit_turns(gint32 *turns, const struct contender *group, guint count)
{
	gint32 round = 0;

	for (guint i = 0; i < count; i++)
		round += (gint32)group[i].weight;
	for (guint i = 0; i < count; i++)
		turns[i] = CLAMP(turns[i], -round, round);
}

/* *ret_known: was there a record? */
static gint32 *
load(struct statefile_view *view, const char *key,
    const struct contender *group, guint count, gboolean *ret_known)
{
	gint32 *turns = g_new0(gint32, count);
	const guint8 *value = statefile_get(view, key, record_size(count));

	*ret_known = value != NULL;
	if (value != NULL)
		memcpy(turns, value + sizeof(gint64), count * sizeof(*turns));
	limit_turns(turns, group, count);
	return turns;
}

static void
store(struct statefile_view *view, const char *key, const gint32 *turns,
    guint count)
{
	g_autofree guint8 *value = g_malloc(record_size(count));
	gint64 now = g_get_real_time();

	memcpy(value, &now, sizeof(now));
	memcpy(value + sizeof(now), turns, count * sizeof(*turns));
	statefile_put(view, key, value, record_size(count));
}

gint32 *
rotation_load(struct statefile_view *view, const struct contender *group,
    guint count)
{
	g_autofree char *key = group_key(group, count);
	gboolean known;

	return view != NULL ? load(view, key, group, count, &known)
			    : g_new0(gint32, count);
}

guint *
rotation_weights(const struct contender *group, guint count)
{
	g_autofree guint *weights = g_new0(guint, count);
	guint free = 0;

	for (guint i = 0; i < count; i++) {
		if (group[i].standing != STANDING_FREE)
			continue;
		weights[i] = group[i].weight;
		free++;
	}
	return free > 0 ? g_steal_pointer(&weights) : NULL;
}

guint
rotation_take(struct statefile_view *view, const struct contender *group,
    const guint *weights, guint count)
{
	g_autofree gint32 *turns = NULL;
	g_autofree char *key = NULL;
	gboolean known;
	guint turn;

	if (count == 1)
		return 0;
	if (count > ROTATION_MEMBERS_MAX)
		return rotation_draw(weights, count);
	key = group_key(group, count);
	turns = load(view, key, group, count, &known);
	turn = rotation_pick(turns, weights, count);
	store(view, key, turns, count);
	if (!known) {
		sweep_after(view, key);
		sweep_turns(view, GROUP_PREFIX);
	}
	return turn;
}
