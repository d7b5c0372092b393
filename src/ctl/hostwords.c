/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "ctl/duration.h"
#include "ctl/hostrate.h"
#include "ctl/hostwords.h"

char *
hostwords_latency(const struct latency *latency)
{
	guint64 milliseconds = latency->recent / 1000;

	if (latency->count == 0)
		return g_strdup("-");
	if (milliseconds == 0)
		return g_strdup("<1ms");
	if (milliseconds < 1000)
		return g_strdup_printf("%ums", (guint)milliseconds);
	if (milliseconds < 10000)
		return g_strdup_printf("%u.%us", (guint)(milliseconds / 1000),
		    (guint)(milliseconds % 1000 / 100));
	return g_strdup_printf("%" G_GUINT64_FORMAT "s", milliseconds / 1000);
}

static char *
words_of_down(const struct hosttable_row *known)
{
	g_autofree char *wait = NULL;

	if (known->probed)
		return g_strdup("down, trying now");
	if (known->wait == 0)
		return g_strdup("down, due now");
	wait = duration_words_up(known->wait);
	return g_strdup_printf("down %s more", wait);
}

/* Whoever waits for a host to be idle has to know how many are still there. */
static char *
words_of_drained(const char *how, const struct hostrow *row)
{
	return row->known.connected > 0
	    ? g_strdup_printf("%s, %u open", how, row->known.connected)
	    : g_strdup(how);
}

static char *
words_of_up(const struct hostrow *row)
{
	const struct hostrecord *record = &row->known.record;

	guint limit = hostrow_limit(row);

	if (limit > 0 && row->known.connected >= limit)
		return g_strdup_printf("full, %u/%u", row->known.connected,
		    limit);
	if (hostrate_wait(row->rates, row->known.tally) > 0)
		return g_strdup("at its rate");
	if (record->suspicion.sender != 0)
		return g_strdup("up, suspect");
	if (limit > 0 && row->known.connected > 0)
		return g_strdup_printf("up, %u/%u busy", row->known.connected,
		    limit);
	if (row->known.connected > 0)
		return g_strdup_printf("up, %u busy", row->known.connected);
	if (row->left)
		return g_strdup("up, not in map");
	if (row->drained_routes > 0)
		return g_strdup("up, part drained");
	if (limit > 0 && row->known.capacity == limit)
		return g_strdup_printf("up, takes %u", limit);
	if (record->last_success == 0 && record->last_failure == 0)
		return g_strdup("up, never tried");
	return g_strdup("up");
}

const char *
hostwords_standing(enum hostrow_standing standing)
{
	switch (standing) {
	case HOSTROW_DOWN:
		return "down";
	case HOSTROW_DRAINED:
	case HOSTROW_DRAINED_IN_MAP:
		return "drained";
	case HOSTROW_UP:
		break;
	}
	return "up";
}

char *
hostwords_state(const struct hostrow *row, enum paint *ret_paint)
{
	switch (hostrow_standing(row)) {
	case HOSTROW_DOWN:
		*ret_paint = PAINT_BAD;
		return row->left ? g_strdup("down, not in map")
				 : words_of_down(&row->known);
	case HOSTROW_DRAINED:
		*ret_paint = PAINT_WARNING;
		return words_of_drained("drained", row);
	case HOSTROW_DRAINED_IN_MAP:
		*ret_paint = PAINT_WARNING;
		return words_of_drained("drained in map", row);
	case HOSTROW_UP:
		break;
	}
	return words_of_up(row);
}

gint64
hostwords_since(const struct hostrow *row, gint64 now)
{
	const struct health *health = &row->known.record.health;
	gint64 ago;

	if (!health_is_up(health))
		return health->since;
	/* Of before a restart it is ahead. */
	ago = health_now() - health->up;
	return health->up > 0 && ago >= 0 ? now - ago : 0;
}
