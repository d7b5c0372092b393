/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a delivery may take of a host's rate: for each transaction a place from
 * the choice of the host on, and a claim from MAIL on (tally.h).
 */

#include <config.h>

#include "hosts/choice.h"
#include "hosts/grant.h"

struct granting {
	struct hoststate *state;
	guint want;
	guint granted;
};

/* MAIL is to be said. */
struct beginning {
	struct hoststate *state;
	gint64 opening; /* of the connection; 0: this is nothing new */
	gint64 wait;
};

void
hoststate_want(struct hoststate *state, guint recipients, gboolean partial)
{
	state->grant.recipients = recipients;
	state->grant.partial = partial;
}

static struct tally_rates
rates_of(const struct grant *grant, guint want)
{
	return (struct tally_rates){
	    .rates = {&grant->rates[0], &grant->rates[1]},
	    .recipients = want,
	    .partial = grant->partial,
	};
}

/* What became of the claim; none is left. */
static void
settle(struct hoststate *state, struct tally *tally)
{
	struct grant *grant = &state->grant;

	switch (grant->claim) {
	case CLAIM_NONE:
		break;
	case CLAIM_PLACE:
		tally_give_back(tally, state->ticket);
		break;
	case CLAIM_BEGUN:
		tally_count(tally, state->ticket, health_now());
		break;
	case CLAIM_ANSWERED:
		tally_count(tally, state->ticket, grant->answered);
		break;
	}
	grant->claim = CLAIM_NONE;
}

/* For as many recipients as there is room for; 0: for none. */
static guint
reserve(struct hoststate *state, struct tally *tally, guint want)
{
	struct grant *grant = &state->grant;
	const struct tally_rates rates = rates_of(grant, want);
	guint granted;

	if (tally_wait(tally, &rates) != 0)
		return 0;
	granted = MIN(want, tally_room(tally, &rates, TALLY_RECIPIENTS));
	tally_reserve(tally, &rates, state->ticket, granted);
	grant->claim = CLAIM_PLACE;
	grant->fresh = TRUE;
	grant->granted = granted;
	return granted;
}

void
grant_begin(struct hoststate *state, struct statefile_view *view,
    const struct contender *contender)
{
	const struct tally_time now = tally_now();
	struct grant *grant = &state->grant;
	guint want = MAX(grant->recipients, 1);
	const struct tally_rates rates = rates_of(grant, want);
	g_autoptr(Tally) tally = NULL;
	gboolean known;

	for (guint unit = 0; unit < TALLY_UNITS; unit++)
		grant->rates[unit] = contender->rates[unit];
	tally =
	    tally_load(view, contender->name, contender->port, &now, &known);
	/* Another route may have a rate for the host: then all count. */
	grant->rated = known || tally_rates_any(&rates);
	if (!grant->rated)
		return;
	tally_count_dead(tally, statefile_lock_fd(view));
	reserve(state, tally, want);
	tally_store(view, contender->name, contender->port, tally, &now);
}

void
grant_end(struct hoststate *state, struct statefile_view *view,
    struct grant_rest *ret)
{
	const struct tally_time now = tally_now();
	const struct tally_rates rates = rates_of(&state->grant, 1);
	gboolean open = state->grant.claim != CLAIM_NONE;
	g_autoptr(Tally) tally = NULL;

	*ret = (struct grant_rest){.room = G_MAXUINT};
	if (!state->grant.rated)
		return;
	tally = tally_load(view, state->name, state->port, &now, NULL);
	settle(state, tally);
	ret->wait = tally_wait(tally, &rates);
	ret->room = MIN(tally_room(tally, &rates, TALLY_TRANSACTIONS),
	    tally_room(tally, &rates, TALLY_RECIPIENTS));
	if (open)
		tally_store(view, state->name, state->port, tally, &now);
}

static void
grant_work(struct statefile_view *view, void *data)
{
	const struct tally_time now = tally_now();
	struct granting *granting = data;
	struct hoststate *state = granting->state;
	g_autoptr(Tally) tally =
	    tally_load(view, state->name, state->port, &now, NULL);

	tally_count_dead(tally, statefile_lock_fd(view));
	settle(state, tally);
	state->grant.fresh = FALSE;
	granting->granted = reserve(state, tally, granting->want);
	tally_store(view, state->name, state->port, tally, &now);
}

guint
hoststate_grant(struct hoststate *state, guint want)
{
	struct granting granting = {.state = state, .want = want};
	struct grant *grant = &state->grant;

	if (state->key == NULL || !grant->rated)
		return want;
	if (!grant->fresh && grant->claim != CLAIM_PLACE) {
		if (!hoststate_use(state, grant_work, &granting))
			return want;
		if (granting.granted == 0)
			return 0;
	}
	grant->fresh = FALSE;
	return MIN(want, grant->granted);
}

static void
begin_work(struct statefile_view *view, void *data)
{
	const struct tally_time now = tally_now();
	struct beginning *beginning = data;
	struct hoststate *state = beginning->state;
	struct grant *grant = &state->grant;
	const struct tally_rates rates = rates_of(grant, grant->granted);
	g_autoptr(Tally) tally =
	    tally_load(view, state->name, state->port, &now, NULL);

	tally_count_dead(tally, statefile_lock_fd(view));
	if (beginning->opening > 0)
		tally_note_opening(tally, beginning->opening);
	beginning->wait =
	    tally_begin(tally, &rates, state->ticket, grant->granted);
	tally_store(view, state->name, state->port, tally, &now);
}

gint64
hoststate_claim(struct hoststate *state, gboolean opened)
{
	struct beginning beginning = {.state = state};
	struct grant *grant = &state->grant;

	if (opened && !grant->opened)
		beginning.opening = health_now() - state->stay.begun;
	grant->opened = TRUE;
	if (grant->claim != CLAIM_PLACE ||
	    !hoststate_use(state, begin_work, &beginning))
		return 0;
	grant->missed = beginning.wait != 0;
	if (!grant->missed)
		grant->claim = CLAIM_BEGUN;
	return beginning.wait;
}

gboolean
hoststate_is_missed(const struct hoststate *state)
{
	return state->grant.missed;
}

void
grant_note(struct hoststate *state)
{
	struct grant *grant = &state->grant;

	if (grant->claim != CLAIM_BEGUN)
		return;
	grant->claim = CLAIM_ANSWERED;
	grant->answered = health_now();
}

void
hoststate_missed(struct hoststate *state)
{
	grant_note(state);
}

void
grant_settle(struct hoststate *state, struct statefile_view *view)
{
	const struct tally_time now = tally_now();
	g_autoptr(Tally) tally = NULL;

	if (state->grant.claim != CLAIM_ANSWERED)
		return;
	tally = tally_load(view, state->name, state->port, &now, NULL);
	settle(state, tally);
	tally_store(view, state->name, state->port, tally, &now);
}
