/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "hosts/slots.h"
#include "hosts/waiting.h"

void
waiting_init(struct waiting *waiting)
{
	waiting->keys = g_ptr_array_new_with_free_func(g_free);
}

enum prospect
waiting_prospect(const struct contender *contenders, guint count, gint64 span)
{
	enum prospect prospect = PROSPECT_NONE;
	const struct contender *held = NULL;

	for (guint i = 0; i < count; i++) {
		switch (contenders[i].standing) {
		case STANDING_FREE:
			/* One that is held comes before the next group. */
			if (held == NULL ||
			    held->priority == contenders[i].priority)
				return PROSPECT_NOW;
			break;
		case STANDING_FULL:
			if (contenders[i].held && held == NULL)
				held = &contenders[i];
			prospect = PROSPECT_LATER;
			break;
		case STANDING_PROBED:
			prospect = PROSPECT_LATER;
			break;
		case STANDING_DOWN:
		case STANDING_RATED:
			if (contenders[i].wait >= 0 &&
			    contenders[i].wait < span)
				prospect = PROSPECT_LATER;
			break;
		case STANDING_TRIED:
		case STANDING_DRAINED:
			break;
		}
	}
	return span > 0 || held != NULL ? prospect : PROSPECT_NONE;
}

static gboolean
is_dead(const struct contender *contenders, guint count)
{
	for (guint i = 0; i < count; i++) {
		if (contenders[i].standing == STANDING_FULL)
			return FALSE;
	}
	return TRUE;
}

/*
 * Routes may share hosts: as many wait for the whole of a route as for the one
 * of its hosts that fewest wait for.
 */
static guint
count_before(struct statefile_view *view, guint64 ticket, const GPtrArray *keys)
{
	guint least = G_MAXUINT;

	for (guint i = 0; i < keys->len; i++)
		least = MIN(least,
		    slots_count_before(view, g_ptr_array_index(keys, i),
			ticket));
	return least;
}

static GPtrArray *
list_keys(const struct contender *contenders, guint count,
    char *(*key)(const char *, guint16))
{
	GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < count; i++) {
		if (!contender_is_settled(&contenders[i]))
			g_ptr_array_add(keys,
			    key(contenders[i].name, contenders[i].port));
	}
	return keys;
}

gboolean
waiting_is_crowded(struct statefile_view *view, guint64 ticket,
    const struct contender *contenders, guint count, guint max)
{
	g_autoptr(GPtrArray) keys =
	    list_keys(contenders, count, slots_waiting_key);

	return is_dead(contenders, count) &&
	    count_before(view, ticket, keys) >= max;
}

static void
occupy(struct waiting *waiting, struct statefile_view *view, guint64 ticket,
    GPtrArray *keys)
{
	for (guint i = 0; i < keys->len; i++)
		slots_occupy(view, g_ptr_array_index(keys, i), ticket);
	g_ptr_array_extend_and_steal(waiting->keys, keys);
}

gboolean
waiting_join(struct waiting *waiting, struct statefile_view *view,
    guint64 ticket, const struct contender *contenders, guint count, guint max)
{
	if (ticket == 0 ||
	    waiting_is_crowded(view, ticket, contenders, count, max))
		return FALSE;
	if (waiting->keys->len == 0)
		occupy(waiting, view, ticket,
		    list_keys(contenders, count, slots_waiting_key));
	return TRUE;
}

void
waiting_go_first(struct waiting *waiting, struct statefile_view *view,
    guint64 ticket, const struct contender *contenders, guint count)
{
	if (!waiting->first)
		occupy(waiting, view, ticket,
		    list_keys(contenders, count, slots_first_key));
	waiting->first = TRUE;
}

void
waiting_leave(struct waiting *waiting, struct statefile_view *view,
    guint64 ticket)
{
	for (guint i = 0; i < waiting->keys->len; i++)
		slots_release(view, g_ptr_array_index(waiting->keys, i),
		    ticket);
	g_ptr_array_set_size(waiting->keys, 0);
	waiting->first = FALSE;
}

void
waiting_clear(struct waiting *waiting)
{
	g_ptr_array_unref(waiting->keys);
}
