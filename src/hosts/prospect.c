/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a delivery does that cannot have a host just now, and what is done for
 * those once a host can be had.
 */

#include <config.h>

#include <string.h>

#include "hosts/choice.h"
#include "hosts/deferred.h"
#include "hosts/due.h"
#include "hosts/slots.h"

/* Of the messages that one success wakes. */
#define CALL_MAX 100

/* What goes on being so is told once in it. */
#define NEWS_SPAN (86400 * (gint64)G_USEC_PER_SEC)

struct look {
	struct choice choice;
	gint64 span;
	guint waiting;
	gboolean first;
	enum prospect prospect;
};

struct deferral {
	struct choice choice;
	const char *queue_id;
	gboolean free; /* can a host be had? */
};

struct taking {
	const struct call *call;
	guint max;
	GPtrArray *ids;
	gboolean young;
};

struct news {
	const char *kind;
	gboolean fresh;
};

/* What the hosts as they are now promise. */
static void
see(struct look *look, struct statefile_view *view)
{
	struct choice *choice = &look->choice;

	for (guint i = 0; i < choice->count; i++)
		choice_update(choice, view, &choice->contenders[i]);
	look->prospect =
	    waiting_prospect(choice->contenders, choice->count, look->span);
}

static void
look_work(struct statefile_view *view, void *data)
{
	struct look *look = data;
	struct choice *choice = &look->choice;
	struct hoststate *state = choice->state;

	see(look, view);
	choice_take_ticket(state);
	if (look->prospect == PROSPECT_LATER &&
	    !waiting_join(&state->waiting, view, state->ticket,
		choice->contenders, choice->count, look->waiting))
		look->prospect = PROSPECT_NONE;
	if (look->prospect == PROSPECT_LATER && look->first)
		waiting_go_first(&state->waiting, view, state->ticket,
		    choice->contenders, choice->count);
	if (look->prospect == PROSPECT_NONE)
		waiting_leave(&state->waiting, view, state->ticket);
}

enum prospect
hoststate_look(struct hoststate *state, struct contender *contenders,
    guint count, gint64 span, guint waiting, gboolean first)
{
	struct look look = {
	    .choice = choice_new(state, contenders, count),
	    .span = span,
	    .waiting = waiting,
	    .first = first,
	};

	if (!hoststate_use(state, look_work, &look))
		return PROSPECT_NONE;
	return look.prospect;
}

static void
glance_work(struct statefile_view *view, void *data)
{
	struct look *look = data;
	struct choice *choice = &look->choice;

	see(look, view);
	if (look->prospect == PROSPECT_LATER &&
	    waiting_is_crowded(view, choice->state->ticket, choice->contenders,
		choice->count, look->waiting))
		look->prospect = PROSPECT_NONE;
}

enum prospect
hoststate_glance(struct hoststate *state, struct contender *contenders,
    guint count, gint64 span, guint waiting)
{
	struct look look = {
	    .choice = choice_new(state, contenders, count),
	    .span = span,
	    .waiting = waiting,
	};

	if (hoststate_use(state, glance_work, &look))
		return look.prospect;
	for (guint i = 0; i < count; i++) {
		if (!contender_is_settled(&contenders[i]))
			return PROSPECT_NOW;
	}
	return PROSPECT_NONE;
}

/* By its rate the host is free at a time that is known. */
static void
note_due(struct statefile_view *view, const struct contender *contender)
{
	const struct due due = {
	    .time = health_now() + contender->wait,
	    .count = MIN(tally_rates_least(contender->rates), CALL_MAX),
	};

	if (contender->standing == STANDING_RATED && contender->wait > 0)
		due_set(view, contender->name, contender->port, &due);
}

static void
defer_work(struct statefile_view *view, void *data)
{
	struct deferral *deferral = data;
	struct choice *choice = &deferral->choice;
	g_autofree struct contender *contenders =
	    g_new(struct contender, choice->count);
	gboolean blame = FALSE;

	deferral->free = FALSE;
	for (guint i = 0; i < choice->count; i++) {
		struct contender *contender = &contenders[i];
		gboolean tried;

		*contender = choice->contenders[i];
		tried = contender->standing == STANDING_TRIED;
		/* Was it to blame? */
		if (tried)
			contender->standing = STANDING_FREE;
		choice_update(choice, view, contender);
		if (contender->standing != STANDING_FREE)
			blame = TRUE;
		else if (!tried)
			deferral->free = TRUE;
	}
	if (!blame || deferral->free || deferral->queue_id == NULL)
		return;
	deferred_add(view, deferral->queue_id, contenders, choice->count);
	for (guint i = 0; i < choice->count; i++)
		note_due(view, &contenders[i]);
}

gboolean
hoststate_defer(struct hoststate *state, struct contender *contenders,
    guint count, const char *queue_id)
{
	struct deferral deferral = {
	    .choice = choice_new(state, contenders, count),
	    .queue_id = queue_id,
	};

	return !hoststate_use(state, defer_work, &deferral) || !deferral.free;
}

static void
settle_work(struct statefile_view *view, void *data)
{
	const struct deferral *deferral = data;
	g_autofree char *route =
	    deferred_route(deferral->choice.contenders, deferral->choice.count);

	deferred_remove(view, deferral->queue_id, route);
}

void
hoststate_settle(struct hoststate *state, const struct contender *contenders,
    guint count, const char *queue_id)
{
	struct deferral deferral = {
	    .choice =
		{
		    .contenders = (struct contender *)(guintptr)contenders,
		    .count = count,
		},
	    .queue_id = queue_id,
	};

	if (state->deferred)
		hoststate_use(state, settle_work, &deferral);
}

struct call *
call_new(const char *name, guint16 port)
{
	struct call *call = g_new0(struct call, 1);

	call->name = g_strdup(name);
	call->port = port;
	call->count = CALL_MAX;
	return call;
}

void
call_free(struct call *call)
{
	g_free(call->name);
	g_free(call);
}

GPtrArray *
hoststate_take_calls(struct hoststate *state)
{
	return g_steal_pointer(&state->calls);
}

/*
 * As many messages as the host has room for, beside those that wait for it as
 * deliveries.
 */
static guint
count_calls(struct statefile_view *view, const struct hoststate *state)
{
	g_autofree char *key = NULL;
	guint waiting;

	if (state->limit == G_MAXUINT)
		return CALL_MAX;
	key = slots_waiting_key(state->name, state->port);
	waiting = slots_count(view, key);
	return waiting >= state->limit ? 0
				       : MIN(state->limit - waiting, CALL_MAX);
}

static void
add_call(struct hoststate *state, struct call *call)
{
	if (state->calls == NULL)
		state->calls =
		    g_ptr_array_new_with_free_func((GDestroyNotify)call_free);
	g_ptr_array_add(state->calls, call);
}

void
prospect_call(struct hoststate *state, struct statefile_view *view,
    const struct grant_rest *rest)
{
	const struct due due = {
	    .time = health_now() + rest->wait,
	    .count = MIN(tally_rates_least(state->grant.rates), CALL_MAX),
	};
	struct call *call;
	guint count;

	if (!deferred_any(view) ||
	    !deferred_waits_for(view, state->name, state->port))
		return;
	if (rest->room == 0)
		due_set(view, state->name, state->port, &due);
	count = count_calls(view, state);
	/*
	 * Others that were woken may have no claim yet: one for each success,
	 * so that not all come in vain.
	 */
	if (rest->room != G_MAXUINT)
		count = MIN(count, MIN(rest->room, 1));
	if (count == 0)
		return;
	call = call_new(state->name, state->port);
	call->count = count;
	add_call(state, call);
}

void
prospect_call_due(struct hoststate *state, struct statefile_view *view)
{
	gint64 now = health_now();
	g_autofree char *name = NULL;
	guint16 port;
	guint count;

	while (due_take(view, now, &name, &port, &count)) {
		if (deferred_waits_for(view, name, port)) {
			struct call *call = call_new(name, port);

			call->count = MIN(count, CALL_MAX);
			add_call(state, call);
		}
		g_clear_pointer(&name, g_free);
	}
}

static void
due_work(struct statefile_view *view, void *data)
{
	if (deferred_any(view))
		prospect_call_due(data, view);
}

static void
any_due_work(struct statefile_view *view, void *data)
{
	gboolean *any = data;

	*any = deferred_any(view) && due_any(view, health_now());
}

/* There is none as a rule, and to see that takes no right to write. */
void
hoststate_look_due(struct hoststate *state)
{
	gboolean any = FALSE;

	if (!state->lost &&
	    statefile_run(state->file, STATEFILE_READ, any_due_work, &any,
		NULL) &&
	    any)
		hoststate_use(state, due_work, state);
}

static void
take_work(struct statefile_view *view, void *data)
{
	struct taking *taking = data;

	g_ptr_array_set_size(taking->ids, 0);
	taking->young = deferred_take(view, taking->call->name,
	    taking->call->port, taking->max, taking->ids);
}

gboolean
hoststate_take_deferred(struct hoststate *state, const struct call *call,
    guint max, GPtrArray *ids)
{
	struct taking taking = {.call = call, .max = max, .ids = ids};

	if (hoststate_use(state, take_work, &taking))
		return taking.young;
	g_ptr_array_set_size(ids, 0);
	return FALSE;
}

static void
news_work(struct statefile_view *view, void *data)
{
	struct news *news = data;
	g_autofree char *key = g_strconcat("told ", news->kind, NULL);
	gint64 now = g_get_real_time();
	const void *value = statefile_get(view, key, sizeof(now));
	gint64 then = 0;

	if (value != NULL)
		memcpy(&then, value, sizeof(then));
	news->fresh = then > now || then < now - NEWS_SPAN;
	if (news->fresh)
		statefile_put(view, key, &now, sizeof(now));
}

gboolean
hoststate_is_news(struct hoststate *state, const char *kind)
{
	struct news news = {.kind = kind};

	return !hoststate_use(state, news_work, &news) || news.fresh;
}
