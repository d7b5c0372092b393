/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "hosts/balance.h"
#include "hosts/contender.h"

gboolean
contender_is_settled(const struct contender *contender)
{
	return contender->standing == STANDING_TRIED ||
	    contender->standing == STANDING_DRAINED;
}

/*
 * Until it may be probed.  Those who brought it down by messages that may
 * have been the reason themselves let others probe first, for as long again
 * as it was down: not for ever, since there may be no others.
 */
static gint64
time_to_probe(const struct hostrecord *record, const struct chooser *chooser)
{
	const struct health *health = &record->health;
	gint64 wait = health_wait(health, chooser->limits, chooser->now);

	if (suspicion_is_reason(&record->suspicion, chooser->sender) &&
	    health->due + health->interval > chooser->now &&
	    health->due <= chooser->now + wait)
		wait = health->due + health->interval - chooser->now;
	return wait;
}

/* Has it had as many as it may?  Sets contender->wait. */
static gboolean
is_at_rate(struct statefile_view *view, struct contender *contender,
    const struct chooser *chooser)
{
	const struct tally_rates rates = {
	    .rates = {&contender->rates[0], &contender->rates[1]},
	    .recipients = chooser->recipients,
	    .partial = chooser->partial,
	};
	const struct tally_time now = tally_now();
	g_autoptr(Tally) tally = NULL;

	if (!tally_rates_any(&rates))
		return FALSE;
	tally = tally_load(view, contender->name, contender->port, &now, NULL);
	tally_count_dead(tally, statefile_lock_fd(view));
	contender->wait = tally_wait(tally, &rates);
	return contender->wait != 0;
}

enum standing
contender_standing(struct statefile_view *view, struct contender *contender,
    const struct chooser *chooser)
{
	g_autofree char *key = hostrecord_key(contender->name, contender->port);
	struct hostrecord record;

	hostrecord_load(&record, statefile_get(view, key, sizeof(record)));
	contender->capacity = capacity_sessions(&record.capacity, chooser->now,
	    chooser->limits->max);
	contender->missing =
	    balance_missing(&record, contender->slow_start, chooser->now);
	if (record.drained)
		return STANDING_DRAINED;
	if (!health_is_up(&record.health)) {
		contender->wait = time_to_probe(&record, chooser);
		g_strlcpy(contender->error, record.last_error,
		    sizeof(contender->error));
		if (health_is_probed(&record.health, statefile_lock_fd(view),
			chooser->now))
			return STANDING_PROBED;
		if (contender->wait > 0)
			return STANDING_DOWN;
	}
	if (contender->again > chooser->now)
		return STANDING_FULL;
	return is_at_rate(view, contender, chooser) ? STANDING_RATED
						    : STANDING_FREE;
}

guint
contender_limit(const struct contender *contender)
{
	return MIN(contender->max_connections, contender->capacity);
}

guint
contender_group_length(const struct contender *group, guint left)
{
	guint length = 1;

	while (length < left && group[length].priority == group[0].priority)
		length++;
	return length;
}
