/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of the hosts is looked at often enough to go on within 50 ms of
 * the reason's end, and not more than 20 times a second in the long run.
 * inotify(7) on its file would wake all who wait with every delivery to
 * anywhere.
 */

#include <config.h>

#include <unistd.h>

#include "agent/passedover.h"
#include "agent/patience.h"
#include "util/caller.h"
#include "util/deadline.h"
#include "util/maillog.h"

#define PERIOD (45 * 1000) /* microseconds */

#define TELL_AFTER G_USEC_PER_SEC

/*
 * Before MAIL nothing is said: no host minds so long.  A place in the rate is
 * had by less before its time (TALLY_LEAD_MAX), so what takes longer is another
 * route's doing, which has another rate for the host.
 */
#define BEGIN_SPAN (5 * G_USEC_PER_SEC)

/*
 * Slots that others hold are free as soon as these notice that somebody waits
 * (holdings.h), unless they are stopped, or at work elsewhere against all
 * likelihood.
 */
#define HELD_PERIOD (10 * 1000)
#define HELD_SPAN   G_USEC_PER_SEC

/*
 * A host that was full a moment ago is so still: some count a session for a
 * while after its end.  By chance, so that not all come back at once.
 */
#define AGAIN_MIN (100 * 1000)
#define AGAIN_MAX (300 * 1000)

/* Once a delivery, for it costs a line. */
static void
tell(struct patience *patience, const GArray *contenders, gint64 span)
{
	g_autofree char *hosts = passedover_text(contenders);
	const char *text = g_str_has_prefix(hosts, "; ") ? hosts + 2 : hosts;

	patience->told = TRUE;
	maillog_info("Waiting: up to %" G_GINT64_FORMAT " s more for a host: "
		     "%s",
	    span / G_USEC_PER_SEC + 1, text);
}

static gboolean
is_held(const struct contender *contender)
{
	return contender->standing == STANDING_FULL && contender->held;
}

/* Who holds slots for longer has not noticed: these hosts are full.  FALSE:
 * there are none. */
static gboolean
end_holding(GArray *contenders)
{
	gboolean any = FALSE;

	for (guint i = 0; i < contenders->len; i++) {
		struct contender *contender =
		    &g_array_index(contenders, struct contender, i);

		if (is_held(contender))
			any = contender->overdue = TRUE;
	}
	return any;
}

/*
 * By its rate a host is free at a time that is known; without @left nothing is
 * waited for but those that are held.
 */
static gint64
until_next_look(const GArray *contenders, gint64 left)
{
	gint64 span = MIN(PERIOD, left);

	for (guint i = 0; i < contenders->len; i++) {
		const struct contender *contender =
		    &g_array_index(contenders, struct contender, i);

		if (is_held(contender))
			return HELD_PERIOD;
		if (contender->standing == STANDING_RATED &&
		    contender->wait > 0)
			span = MIN(span, contender->wait);
	}
	return span;
}

/*
 * Slots are for whoever looks first, which wastes no time of the host's.  But
 * chance must not have one delivery wait for all of its patience.
 */
static gboolean
goes_first(const struct patience *patience, gint64 begun)
{
	gint64 left = patience->left - (g_get_monotonic_time() - begun);

	return left < patience->span / 2;
}

gboolean
patience_wait(struct patience *patience, struct hoststate *state,
    GArray *contenders, gint64 deadline)
{
	gint64 begun = g_get_monotonic_time();
	gint64 end = MIN(begun + patience->left, deadline);
	enum prospect prospect;

	for (;;) {
		gint64 left = deadline_left(end);

		prospect = hoststate_look(state,
		    &g_array_index(contenders, struct contender, 0),
		    contenders->len, left, patience->waiting,
		    goes_first(patience, begun));
		if (prospect != PROSPECT_LATER || caller_is_gone())
			break;
		/* What there is without them the next look says. */
		if (g_get_monotonic_time() - begun > HELD_SPAN &&
		    end_holding(contenders))
			continue;
		if (!patience->told &&
		    g_get_monotonic_time() - begun > TELL_AFTER)
			tell(patience, contenders, left);
		g_usleep((gulong)until_next_look(contenders, left));
	}
	patience->left =
	    MAX(patience->left - (g_get_monotonic_time() - begun), 0);
	return prospect == PROSPECT_NOW;
}

gboolean
patience_claim(struct hoststate *state, gboolean opened, gint64 deadline)
{
	gint64 end = MIN(deadline_in(BEGIN_SPAN), deadline);
	gint64 wait;

	while ((wait = hoststate_claim(state, opened)) != 0) {
		if (wait < 0 || wait > deadline_left(end) || caller_is_gone())
			return FALSE;
		g_usleep((gulong)MIN(wait, PERIOD));
	}
	return TRUE;
}

gboolean
patience_keeps(const struct patience *patience, struct contender *contender)
{
	if (patience->left < AGAIN_MAX)
		return FALSE;
	contender->again =
	    health_now() + g_random_int_range(AGAIN_MIN, AGAIN_MAX);
	contender->standing = STANDING_FULL;
	return TRUE;
}
