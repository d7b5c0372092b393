/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "hosts/choice.h"
#include "hosts/holdings.h"
#include "hosts/slots.h"
#include "util/deadline.h"

/*
 * Who waits for a slot looks as often: it changes hands within twice that.
 * Without a limit nobody waits, unless one was learnt meanwhile.
 */
#define LOOK_PERIOD           (20 * 1000) /* microseconds */
#define LOOK_PERIOD_UNLIMITED (250 * 1000)

/* So long who waits goes first: patience.c looks every 45 ms at least. */
#define YIELD_SPAN (100 * 1000)

struct giving {
	struct hoststate *state;
	const char *key;
	guint count;
};

struct widening {
	struct hoststate *state;
	gboolean full;
};

static void
holding_free(void *data)
{
	struct holding *holding = data;

	g_free(holding->name);
	g_free(holding);
}

void
holdings_init(struct holdings *holdings)
{
	holdings->all = g_ptr_array_new_with_free_func(holding_free);
}

void
holdings_forget(struct holdings *holdings)
{
	g_ptr_array_set_size(holdings->all, 0);
}

void
holdings_clear(struct holdings *holdings)
{
	g_ptr_array_unref(holdings->all);
	g_free(holdings->yielded);
}

const GPtrArray *
hoststate_holdings(const struct hoststate *state)
{
	return state->holdings.all;
}

static struct holding *
find(const struct hoststate *state, const char *name, guint16 port)
{
	for (guint i = 0; i < state->holdings.all->len; i++) {
		struct holding *holding =
		    g_ptr_array_index(state->holdings.all, i);

		if (holding->port == port && g_str_equal(holding->name, name))
			return holding;
	}
	return NULL;
}

/* One more of the chosen host. */
static struct holding *
add(struct hoststate *state)
{
	struct holding *holding = find(state, state->name, state->port);

	if (holding == NULL) {
		holding = g_new0(struct holding, 1);
		holding->name = g_strdup(state->name);
		holding->port = state->port;
		g_ptr_array_add(state->holdings.all, holding);
	}
	holding->count++;
	holding->limited = state->limit != G_MAXUINT;
	holding->since = state->since;
	state->holdings.look =
	    deadline_in(holding->limited ? LOOK_PERIOD : LOOK_PERIOD_UNLIMITED);
	return holding;
}

/* @holding is freed with its last one. */
static void
reduce(struct hoststate *state, struct holding *holding, guint count)
{
	holding->count -= MIN(count, holding->count);
	holding->surplus = MIN(holding->surplus, holding->count);
	if (holding->count == 0)
		g_ptr_array_remove_fast(state->holdings.all, holding);
}

guint
hoststate_held(const struct hoststate *state, const char *name, guint16 port)
{
	const struct holding *holding = find(state, name, port);

	return holding != NULL ? holding->count : 0;
}

/* How many others wait for the host. */
static guint
count_waiting(struct statefile_view *view, const char *name, guint16 port)
{
	g_autofree char *key = slots_waiting_key(name, port);

	return slots_count(view, key);
}

/* Who has waited for long goes first, and to whom it has yielded. */
static guint
count_before(const struct hoststate *state, struct statefile_view *view,
    const struct contender *contender, const char *key)
{
	gboolean yields = state->holdings.yielded_until > health_now() &&
	    g_strcmp0(state->holdings.yielded, key) == 0;
	g_autofree char *list =
	    (yields ? slots_waiting_key : slots_first_key)(contender->name,
		contender->port);

	return slots_count_before(view, list, state->ticket);
}

gboolean
holdings_have_room(const struct hoststate *state, struct statefile_view *view,
    const struct contender *contender)
{
	guint limit = contender_limit(contender);
	g_autofree char *key = NULL;
	guint before;

	if (limit == G_MAXUINT ||
	    hoststate_held(state, contender->name, contender->port) > 0)
		return TRUE;
	key = slots_connected_key(contender->name, contender->port);
	before = count_before(state, view, contender, key);
	return before < limit && !slots_are_full(view, key, limit - before);
}

gboolean
holdings_resume(struct hoststate *state, struct statefile_view *view,
    gboolean counted)
{
	struct holding *holding = find(state, state->name, state->port);

	state->since = health_now();
	if (holding == NULL)
		return FALSE;
	state->since = holding->since;
	reduce(state, holding, 1);
	state->slot_held = !counted && state->limit == G_MAXUINT &&
	    slots_has(view, state->slots_key, state->ticket);
	return state->slot_held ||
	    slots_resume(view, state->slots_key, state->ticket);
}

static void
connecting_work(struct statefile_view *view, void *data)
{
	const struct hoststate *state = data;

	slots_resume(view, state->slots_key, state->ticket);
}

void
hoststate_connecting(struct hoststate *state)
{
	if (state->slot_held)
		hoststate_use(state, connecting_work, state);
	state->slot_held = FALSE;
}

/* A host's slots are all given up. */
static void
give_all(struct holding *holding)
{
	holding->surplus = holding->count;
}

void
holdings_hold(struct hoststate *state, struct statefile_view *view)
{
	struct holding *holding = add(state);

	slots_hold(view, state->slots_key, state->ticket);
	if (holding->limited &&
	    health_now() - holding->since >= HOLDINGS_SHARE &&
	    count_waiting(view, holding->name, holding->port) > 0)
		give_all(holding);
}

static gboolean
is_limited(const struct hoststate *state, struct statefile_view *view,
    const struct holding *holding)
{
	g_autofree char *key = hostrecord_key(holding->name, holding->port);
	struct hostrecord record;

	if (holding->limited)
		return TRUE;
	hostrecord_load(&record, statefile_get(view, key, sizeof(record)));
	return capacity_sessions(&record.capacity, health_now(),
		   state->limits.max) != G_MAXUINT;
}

void
holdings_turn_away(struct hoststate *state, struct statefile_view *view,
    const struct contender *chosen)
{
	for (guint i = 0; i < state->holdings.all->len; i++) {
		struct holding *holding =
		    g_ptr_array_index(state->holdings.all, i);

		if ((chosen == NULL || holding->port != chosen->port ||
			!g_str_equal(holding->name, chosen->name)) &&
		    is_limited(state, view, holding))
			give_all(holding);
	}
}

static void
widen_work(struct statefile_view *view, void *data)
{
	struct widening *widening = data;
	const struct hoststate *state = widening->state;

	widening->full = slots_are_full(view, state->slots_key, state->limit);
	if (widening->full)
		return;
	slots_occupy(view, state->slots_key, state->ticket);
	slots_hold(view, state->slots_key, state->ticket);
}

gboolean
hoststate_widen(struct hoststate *state)
{
	struct widening widening = {.state = state};

	if (state->slots_key == NULL ||
	    !hoststate_use(state, widen_work, &widening))
		return TRUE;
	if (!widening.full)
		add(state);
	return !widening.full;
}

static void
yield_work(struct statefile_view *view, void *data)
{
	const struct hoststate *state = data;

	for (guint i = 0; i < state->holdings.all->len; i++) {
		struct holding *holding =
		    g_ptr_array_index(state->holdings.all, i);

		if (count_waiting(view, holding->name, holding->port) > 0)
			give_all(holding);
	}
}

/* How long until it is looked again. */
static gint64
look_period(const struct hoststate *state)
{
	for (guint i = 0; i < state->holdings.all->len; i++) {
		const struct holding *holding =
		    g_ptr_array_index(state->holdings.all, i);

		if (holding->limited)
			return LOOK_PERIOD;
	}
	return LOOK_PERIOD_UNLIMITED;
}

gint64
hoststate_yield(struct hoststate *state)
{
	struct holdings *holdings = &state->holdings;

	if (holdings->all->len == 0)
		return G_MAXINT64;
	if (deadline_left(holdings->look) > 0)
		return holdings->look;
	hoststate_use(state, yield_work, state);
	holdings->look = deadline_in(look_period(state));
	return holdings->look;
}

static void
give_work(struct statefile_view *view, void *data)
{
	const struct giving *giving = data;
	guint64 ticket = giving->state->ticket;

	for (guint i = 0; i < giving->count; i++) {
		if (slots_resume(view, giving->key, ticket))
			slots_release(view, giving->key, ticket);
	}
}

void
hoststate_give_up(struct hoststate *state, const char *name, guint16 port,
    guint kept)
{
	struct holding *holding = find(state, name, port);
	struct holdings *holdings = &state->holdings;
	g_autofree char *key = NULL;
	struct giving giving = {.state = state};

	if (holding == NULL || holding->count <= kept)
		return;
	key = slots_connected_key(name, port);
	giving.key = key;
	giving.count = holding->count - kept;
	hoststate_use(state, give_work, &giving);
	if (holding->surplus > 0) {
		g_free(holdings->yielded);
		holdings->yielded = g_steal_pointer(&key);
		holdings->yielded_until = health_now() + YIELD_SPAN;
	}
	reduce(state, holding, giving.count);
}
