/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "hosts/health.h"
#include "hosts/sweep.h"
#include "hosts/tally.h"
#include "util/ticket.h"

/*
 * Who comes to MAIL too early waits there, and who comes too late has left room
 * unused: so a lead is longer than what others took by a part of that, and by
 * what it takes a few processes to go on that have all waited for this moment.
 */
#define LEAD_PART  4
#define LEAD_EXTRA (20 * 1000) /* microseconds */

/* One that takes longer tells more than one that is faster. */
#define RISE_PART 2
#define FALL_PART 8

gboolean
tally_rates_any(const struct tally_rates *rates)
{
	for (guint unit = 0; unit < TALLY_UNITS; unit++) {
		if (rates->rates[unit]->count > 0)
			return TRUE;
	}
	return FALSE;
}

guint32
tally_rates_least(const struct rates rates[TALLY_UNITS])
{
	guint32 least = G_MAXUINT32;

	for (guint unit = 0; unit < TALLY_UNITS; unit++) {
		for (guint i = 0; i < rates[unit].count; i++)
			least = MIN(least, rates[unit].rate[i].count);
	}
	return least;
}

struct tally_time
tally_now(void)
{
	return (struct tally_time){health_now(), g_get_real_time()};
}

struct tally *
tally_new(void)
{
	struct tally *tally = g_new0(struct tally, 1);

	tally->windows = g_array_new(FALSE, TRUE, sizeof(struct tally_window));
	tally->claims = g_array_new(FALSE, TRUE, sizeof(struct claim));
	return tally;
}

void
tally_free(struct tally *tally)
{
	g_array_unref(tally->windows);
	g_array_unref(tally->claims);
	g_free(tally);
}

static struct tally_window *
window_at(const struct tally *tally, guint i)
{
	return &g_array_index(tally->windows, struct tally_window, i);
}

static struct claim *
claim_at(const struct tally *tally, guint i)
{
	return &g_array_index(tally->claims, struct claim, i);
}

static char *
tally_key(const char *name, guint16 port)
{
	return statefile_host_key(TALLY_PREFIX, name, port);
}

struct tally *
tally_load(struct statefile_view *view, const char *name, guint16 port,
    const struct tally_time *now, gboolean *ret_known)
{
	g_autofree char *key = tally_key(name, port);
	gsize size = 0;
	const void *value = statefile_get_any(view, key, &size);
	struct tally *tally =
	    value != NULL ? tally_read(value, size) : tally_new();

	if (ret_known != NULL)
		*ret_known = value != NULL;
	tally_advance(tally, now);
	return tally;
}

void
tally_store(struct statefile_view *view, const char *name, guint16 port,
    struct tally *tally, const struct tally_time *now)
{
	g_autofree char *key = tally_key(name, port);
	g_autoptr(GByteArray) record = NULL;
	gboolean known;
	gsize size;

	/* Claims are counted in all windows there are. */
	for (guint i = tally->windows->len; i > 0 && tally->claims->len == 0;
	     i--) {
		if (window_sum(&window_at(tally, i - 1)->window) == 0)
			g_array_remove_index(tally->windows, i - 1);
	}
	if (tally_is_spent(tally)) {
		statefile_delete(view, key);
		return;
	}
	tally->seen = now->real;
	record = tally_write(tally);
	known = statefile_get_any(view, key, &size) != NULL;
	statefile_put(view, key, record->data, record->len);
	if (known)
		return;
	sweep_after(view, key);
	sweep_tallies(view);
}

/* What the clock of the windows has to go on. */
static gint64
elapsed(const struct tally *tally, const struct tally_time *now)
{
	if (now->boot >= tally->boot)
		return now->boot - tally->boot;
	/* A restart: it has been running for so long, at least. */
	return MAX(now->boot, now->real - tally->seen);
}

void
tally_advance(struct tally *tally, const struct tally_time *now)
{
	tally->clock += elapsed(tally, now);
	tally->boot = now->boot;
	tally->seen = now->real;
	for (guint i = 0; i < tally->windows->len; i++)
		window_advance(&window_at(tally, i)->window, tally->clock);
}

gboolean
tally_is_spent(const struct tally *tally)
{
	for (guint i = 0; i < tally->windows->len; i++) {
		if (window_sum(&window_at(tally, i)->window) > 0)
			return FALSE;
	}
	return tally->claims->len == 0;
}

/* NULL: there is none, so nothing counts. */
static struct window *
find_window(const struct tally *tally, enum tally_unit unit, gint64 span)
{
	for (guint i = 0; i < tally->windows->len; i++) {
		struct tally_window *found = window_at(tally, i);

		if (found->unit == unit && found->window.span == span)
			return &found->window;
	}
	return NULL;
}

/* @places: with those that are but a place. */
static guint64
claimed(const struct tally *tally, enum tally_unit unit, gboolean places)
{
	guint64 sum = 0;

	for (guint i = 0; i < tally->claims->len; i++) {
		const struct claim *claim = claim_at(tally, i);

		if (claim->begun || places)
			sum +=
			    unit == TALLY_TRANSACTIONS ? 1 : claim->recipients;
	}
	return sum;
}

guint64
tally_used(const struct tally *tally, enum tally_unit unit, gint64 span)
{
	const struct window *window = find_window(tally, unit, span);

	return claimed(tally, unit, FALSE) +
	    (window != NULL ? window_sum(window) : 0);
}

gint64
tally_lead(const struct tally *tally)
{
	if (tally->opening == 0)
		return 0;
	return MIN(tally->opening + tally->opening / LEAD_PART + LEAD_EXTRA,
	    TALLY_LEAD_MAX);
}

void
tally_note_opening(struct tally *tally, gint64 span)
{
	gint64 opening = CLAMP(span, 1, TALLY_LEAD_MAX);
	gint64 more = opening - tally->opening;

	if (tally->opening == 0)
		tally->opening = opening;
	else
		tally->opening += more / (more > 0 ? RISE_PART : FALL_PART);
}

/*
 * How many there may be at the end of @lead, with all that come until then: as
 * many as a window has, and so many more for each span that goes by.
 */
static guint64
allowed(const struct rate *rate, gint64 lead)
{
	return rate->count * (guint64)(1 + lead / rate->span);
}

/* Until there is a place, or room for a claim. */
static gint64
wait_for(const struct tally *tally, enum tally_unit unit,
    const struct rate *rate, guint want, gboolean place)
{
	const struct window *window = find_window(tally, unit, rate->span);
	gint64 lead = place ? tally_lead(tally) : 0;
	guint64 fixed = claimed(tally, unit, place) + want;
	gint64 wait;

	if (want > rate->count)
		return -1;
	if (fixed > allowed(rate, lead))
		return rate->span;
	if (window == NULL)
		return 0;
	wait = window_wait(window, tally->clock, allowed(rate, lead) - fixed);
	return MAX(wait - lead % rate->span, 0);
}

/* Of all rates the longest. */
static gint64
wait_for_all(const struct tally *tally, const struct tally_rates *rates,
    gboolean place)
{
	gint64 longest = 0;

	for (guint unit = 0; unit < TALLY_UNITS; unit++) {
		const struct rates *of = rates->rates[unit];
		guint want = unit == TALLY_RECIPIENTS && !rates->partial
		    ? rates->recipients
		    : 1;

		for (guint i = 0; i < of->count; i++) {
			gint64 wait =
			    wait_for(tally, unit, &of->rate[i], want, place);

			if (wait < 0)
				return wait;
			longest = MAX(longest, wait);
		}
	}
	return longest;
}

gint64
tally_wait(const struct tally *tally, const struct tally_rates *rates)
{
	return wait_for_all(tally, rates, TRUE);
}

/* What is left of one rate, for places. */
static guint64
room_of(const struct tally *tally, enum tally_unit unit,
    const struct rate *rate)
{
	const struct window *window = find_window(tally, unit, rate->span);
	gint64 lead = tally_lead(tally);
	guint64 used = claimed(tally, unit, TRUE);

	if (window != NULL)
		used += window_sum_at(window, tally->clock + lead % rate->span);
	return allowed(rate, lead) > used
	    ? MIN(allowed(rate, lead) - used, rate->count)
	    : 0;
}

guint
tally_room(const struct tally *tally, const struct tally_rates *rates,
    enum tally_unit unit)
{
	const struct rates *of = rates->rates[unit];
	guint64 room = G_MAXUINT;

	for (guint i = 0; i < of->count; i++)
		room = MIN(room, room_of(tally, unit, &of->rate[i]));
	return (guint)room;
}

/* Of a record, whatever routes have had for rates. */
static void
make_room(struct tally *tally)
{
	if (tally->windows->len == TALLY_WINDOWS_MAX)
		g_array_remove_index(tally->windows, 0);
}

static void
open_windows(struct tally *tally, const struct tally_rates *rates)
{
	for (guint unit = 0; unit < TALLY_UNITS; unit++) {
		const struct rates *of = rates->rates[unit];

		for (guint i = 0; i < of->count; i++) {
			gint64 span = of->rate[i].span;
			struct tally_window fresh = {unit, {.span = span}};

			if (find_window(tally, unit, span) != NULL)
				continue;
			make_room(tally);
			window_advance(&fresh.window, tally->clock);
			g_array_append_val(tally->windows, fresh);
		}
	}
}

static void
count(struct tally *tally, gint64 then, guint recipients)
{
	for (guint i = 0; i < tally->windows->len; i++) {
		struct tally_window *window = window_at(tally, i);

		window_add(&window->window, then,
		    window->unit == TALLY_TRANSACTIONS ? 1 : recipients);
	}
}

void
tally_reserve(struct tally *tally, const struct tally_rates *rates,
    guint64 ticket, guint recipients)
{
	const struct claim claim = {ticket, recipients, FALSE};

	open_windows(tally, rates);
	if (ticket != 0)
		g_array_append_val(tally->claims, claim);
}

/* The place is a claim now, whoever may have lost it meanwhile. */
static void
begin_claim(struct tally *tally, guint64 ticket, guint recipients)
{
	const struct claim claim = {ticket, recipients, TRUE};

	tally_give_back(tally, ticket);
	g_array_append_val(tally->claims, claim);
}

gint64
tally_begin(struct tally *tally, const struct tally_rates *rates,
    guint64 ticket, guint recipients)
{
	const struct tally_rates whole = {
	    .rates = {rates->rates[0], rates->rates[1]},
	    .recipients = recipients,
	};
	gint64 wait = wait_for_all(tally, &whole, FALSE);

	if (wait != 0)
		return wait;
	open_windows(tally, rates);
	if (ticket == 0)
		count(tally, tally->clock, recipients);
	else
		begin_claim(tally, ticket, recipients);
	return 0;
}

/* FALSE: there is none. */
static gboolean
take_claim(struct tally *tally, guint64 ticket, struct claim *ret)
{
	for (guint i = 0; i < tally->claims->len; i++) {
		*ret = *claim_at(tally, i);
		if (ret->ticket == ticket) {
			g_array_remove_index(tally->claims, i);
			return TRUE;
		}
	}
	return FALSE;
}

void
tally_count(struct tally *tally, guint64 ticket, gint64 then)
{
	gint64 ago = MAX(tally->boot - then, 0);
	struct claim claim;

	if (take_claim(tally, ticket, &claim))
		count(tally, MAX(tally->clock - ago, 0), claim.recipients);
}

void
tally_give_back(struct tally *tally, guint64 ticket)
{
	struct claim claim;

	take_claim(tally, ticket, &claim);
}

void
tally_count_dead(struct tally *tally, int fd)
{
	for (guint i = tally->claims->len; i > 0; i--) {
		struct claim claim = *claim_at(tally, i - 1);

		if (ticket_is_alive(fd, claim.ticket))
			continue;
		g_array_remove_index(tally->claims, i - 1);
		if (claim.begun)
			count(tally, tally->clock, claim.recipients);
	}
}
