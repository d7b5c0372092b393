/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "hosts/balance.h"
#include "hosts/choice.h"
#include "hosts/deferred.h"
#include "hosts/hoststate.h"
#include "hosts/rotation.h"
#include "hosts/slots.h"
#include "hosts/statefile.h"
#include "hosts/sweep.h"
#include "util/ticket.h"

#define DCID_KEY "dcid"

/*
 * Who is greeted at the same time as another one is refused may learn of it
 * later: so long.
 */
#define GREETED_PAUSE (20 * 1000) /* microseconds */
#define GREETED_TRIES 25

/*
 * A session that came to its answer less than this ago may be over here and not
 * yet there: Exim counts processes, which end after QUIT.
 */
#define LINGERING G_USEC_PER_SEC

/* A visit of the chosen host that makes it look full. */
struct refusal {
	struct hoststate *state;
	guint sessions;
	gboolean lingering; /* may it have one more that is over here? */
	gboolean others;    /* are others on their way to it? */
};

struct leaving {
	struct hoststate *state;
	struct departure *departure;
	gboolean probing;
};

struct hoststate *
hoststate_new(const char *directory, const struct health_limits *limits)
{
	struct hoststate *state = g_new0(struct hoststate, 1);

	state->lost = directory == NULL;
	if (!state->lost)
		state->file = statefile_new(directory);
	state->limits = *limits;
	waiting_init(&state->waiting);
	holdings_init(&state->holdings);
	return state;
}

void
hoststate_begin(struct hoststate *state, const char *sender)
{
	state->sender = suspicion_sender(sender);
	state->lost = state->file == NULL;
}

/* Whatever this process had in a file that is no longer in use is forgotten. */
static void
follow_file(struct hoststate *state, struct statefile_view *view)
{
	if (!statefile_drop_ticket(view))
		return;
	state->ticket = 0;
	holdings_forget(&state->holdings);
}

static void
set_greeted(struct hoststate *state, gboolean greeted)
{
	if (state->greeted == greeted)
		return;
	state->greeted = greeted;
	ticket_mark(statefile_ticket_fd(state->file), state->ticket, greeted);
}

static void
forget_choice(struct hoststate *state)
{
	g_clear_pointer(&state->key, g_free);
	g_clear_pointer(&state->name, g_free);
	g_clear_pointer(&state->slots_key, g_free);
	state->kept = 0;
	state->slot_held = FALSE;
	state->probing = FALSE;
	set_greeted(state, FALSE);
	memset(&state->stay, 0, sizeof(state->stay));
	memset(state->bad, 0, sizeof(state->bad));
	state->tls_hung = 0;
	state->grant = (struct grant){
	    .recipients = state->grant.recipients,
	    .partial = state->grant.partial,
	};
}

void
hoststate_free(struct hoststate *state)
{
	if (state == NULL)
		return;
	forget_choice(state);
	waiting_clear(&state->waiting);
	holdings_clear(&state->holdings);
	g_clear_pointer(&state->calls, g_ptr_array_unref);
	statefile_free(state->file);
	g_free(state->warning);
	g_free(state->warned);
	g_free(state);
}

/* A process that lives on says once that it has no memory, not each time. */
static void
warn_of_loss(struct hoststate *state, const char *why)
{
	g_autofree char *warning = g_strdup_printf("state-directory: %s; "
						   "delivering without memory "
						   "of hosts",
	    why);

	if (g_strcmp0(state->warned, warning) == 0)
		return;
	g_free(state->warned);
	state->warned = g_strdup(warning);
	g_free(state->warning);
	state->warning = g_steal_pointer(&warning);
}

static void
warn_of_notice(struct hoststate *state, const char *notice)
{
	g_free(state->warning);
	state->warning = g_strdup_printf(
	    "state-directory: %s; begun anew, drained hosts may have to be "
	    "drained again",
	    notice);
}

char *
hoststate_take_warning(struct hoststate *state)
{
	return g_steal_pointer(&state->warning);
}

gboolean
hoststate_use(struct hoststate *state,
    void (*work)(struct statefile_view *view, void *data), void *data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *notice = NULL;

	if (state->lost)
		return FALSE;
	state->lost =
	    !statefile_run(state->file, STATEFILE_WRITE, work, data, &error);
	if (state->lost) {
		warn_of_loss(state, error->message);
		return FALSE;
	}
	g_clear_pointer(&state->warned, g_free);
	notice = statefile_take_notice(state->file);
	if (notice != NULL)
		warn_of_notice(state, notice);
	return TRUE;
}

/* All zero if there is none. */
static gboolean
load(struct statefile_view *view, const char *key, struct hostrecord *record)
{
	const void *value = statefile_get(view, key, sizeof(*record));

	hostrecord_load(record, value);
	return value != NULL;
}

static guint64
next_dcid(struct statefile_view *view)
{
	const void *value = statefile_get(view, DCID_KEY, sizeof(guint64));
	guint64 dcid = 0;

	if (value != NULL)
		memcpy(&dcid, value, sizeof(dcid));
	dcid++;
	statefile_put(view, DCID_KEY, &dcid, sizeof(dcid));
	return dcid;
}

/* The index within the group, @count: none is free. */
static guint
choose_in_group(struct statefile_view *view, struct contender *group,
    guint count)
{
	g_autofree guint *weights = balance_weights(view, group, count);

	if (weights == NULL)
		return count;
	if (view == NULL)
		return rotation_draw(weights, count);
	return rotation_take(view, group, weights, count);
}

/* From here on this process is at the host. */
static void
occupy(struct choice *choice, struct statefile_view *view,
    const struct contender *contender)
{
	struct hoststate *state = choice->state;
	struct hostrecord record;

	state->key = hostrecord_key(contender->name, contender->port);
	state->name = g_strdup(contender->name);
	state->port = contender->port;
	state->limit = contender_limit(contender);
	state->stranger = contender->stranger;
	load(view, state->key, &record);
	memcpy(state->bad, record.bad, sizeof(state->bad));
	state->tls_hung = record.tls_hung;
	state->stay.sender = state->sender;
	state->stay.begun = choice->chooser.now;
	choice_take_ticket(state);
	if (state->ticket != 0) {
		state->slots_key =
		    slots_connected_key(contender->name, contender->port);
		if (!holdings_resume(state, view, contender->counted))
			slots_occupy(view, state->slots_key, state->ticket);
	}
	grant_begin(state, view, contender);
	state->probing = !health_is_up(&record.health);
	if (!state->probing)
		return;
	record.health.prober = state->ticket;
	record.health.lease = choice->chooser.now + contender->lease;
	statefile_put(view, state->key, &record, sizeof(record));
}

static gboolean
is_held(const struct contender *group, guint count)
{
	for (guint i = 0; i < count; i++) {
		if (group[i].standing == STANDING_FULL && group[i].held)
			return TRUE;
	}
	return FALSE;
}

static guint
choose(struct choice *choice, struct statefile_view *view)
{
	struct contender *group = choice->contenders;
	guint left = choice->count;
	guint length;

	for (; left > 0; group += length, left -= length) {
		guint chosen;

		length = contender_group_length(group, left);
		for (guint i = 0; i < length && view != NULL; i++)
			choice_update(choice, view, &group[i]);
		chosen = choose_in_group(view, group, length);
		if (chosen < length)
			return choice->count - left + chosen;
		/* One of these is free in a moment. */
		if (is_held(group, length))
			break;
	}
	return choice->count;
}

static void
choose_work(struct statefile_view *view, void *data)
{
	struct choice *choice = data;
	const struct contender *chosen = NULL;

	forget_choice(choice->state);
	follow_file(choice->state, view);
	choice->state->deferred = deferred_any(view);
	if (choice->state->deferred)
		prospect_call_due(choice->state, view);
	choice->chosen = choose(choice, view);
	waiting_leave(&choice->state->waiting, view, choice->state->ticket);
	if (choice->chosen < choice->count)
		chosen = &choice->contenders[choice->chosen];
	holdings_turn_away(choice->state, view, chosen);
	if (chosen == NULL)
		return;
	/* A connection that was kept has its own, and returned this one. */
	if (choice->state->dcid == 0)
		choice->state->dcid = next_dcid(view);
	occupy(choice, view, chosen);
}

guint
hoststate_choose(struct hoststate *state, struct contender *contenders,
    guint count)
{
	struct choice choice = choice_new(state, contenders, count);

	if (!hoststate_use(state, choose_work, &choice)) {
		forget_choice(state);
		for (guint i = 0; i < count; i++) {
			if (!contender_is_settled(&contenders[i]))
				contenders[i].standing = STANDING_FREE;
		}
		choice.chosen = choose(&choice, NULL);
	}
	if (choice.chosen < count)
		contenders[choice.chosen].standing = STANDING_TRIED;
	return choice.chosen;
}

static void
dcid_work(struct statefile_view *view, void *data)
{
	guint64 *dcid = data;

	*dcid = next_dcid(view);
}

guint64
hoststate_dcid(struct hoststate *state)
{
	guint64 dcid = state->dcid;

	state->dcid = 0;
	if (dcid == 0 && !hoststate_use(state, dcid_work, &dcid))
		return 0;
	return dcid;
}

void
hoststate_return_dcid(struct hoststate *state, guint64 dcid)
{
	state->dcid = dcid;
}

gboolean
hoststate_is_bad(const struct hoststate *state, const struct endpoint *endpoint)
{
	return hostrecord_is_bad(state->bad, endpoint, health_now(),
	    state->limits.max);
}

gboolean
hoststate_tls_hangs(const struct hoststate *state)
{
	return hostrecord_tls_hangs(state->tls_hung, health_now(),
	    state->limits.max);
}

void
hoststate_greeted(struct hoststate *state)
{
	/* One that is held says the same. */
	if (state->slots_key != NULL && !state->slot_held)
		set_greeted(state, TRUE);
}

static void
refusal_work(struct statefile_view *view, void *data)
{
	struct refusal *refusal = data;
	struct hoststate *state = refusal->state;
	struct hostrecord record;
	gint64 age;

	load(view, state->key, &record);
	age = g_get_real_time() - record.last_success;
	refusal->lingering = age >= 0 && age < LINGERING;
	refusal->sessions =
	    slots_count_marked(view, state->slots_key, state->ticket);
	refusal->others = slots_count(view, state->slots_key) > 1;
}

/*
 * How many sessions of ours the host is serving, beside this one.  Where their
 * number is limited, it has one more that is over here.
 */
static guint
count_served(struct hoststate *state, gboolean answered)
{
	struct refusal refusal = {.state = state};

	for (guint i = 0; i < GREETED_TRIES; i++) {
		if (!hoststate_use(state, refusal_work, &refusal))
			return 0;
		if (refusal.sessions > 0 || !refusal.others)
			break;
		g_usleep(GREETED_PAUSE);
	}
	if (refusal.sessions == 0 && refusal.lingering && answered &&
	    state->limit != G_MAXUINT)
		return 1;
	return refusal.sessions;
}

void
hoststate_note(struct hoststate *state, const struct visit *visit)
{
	guint sessions = 0;

	set_greeted(state, FALSE);
	grant_note(state);
	if (stay_looks_full(visit) && state->slots_key != NULL)
		sessions = count_served(state, !visit->refused);
	stay_note(&state->stay, visit, sessions);
}

static void
answered_work(struct statefile_view *view, void *data)
{
	struct leaving *leaving = data;
	struct hoststate *state = leaving->state;
	struct hostrecord record;

	grant_settle(state, view);
	if (!leaving->probing)
		return;
	load(view, state->key, &record);
	stay_come_up(&record, leaving->departure);
	record.seen = g_get_real_time();
	statefile_put(view, state->key, &record, sizeof(record));
}

void
hoststate_answered(struct hoststate *state, struct departure *departure)
{
	struct leaving leaving = {state, departure, state->probing};

	*departure = (struct departure){0};
	grant_note(state);
	if (!state->probing && state->grant.claim == CLAIM_NONE)
		return;
	state->probing = FALSE;
	if (!hoststate_use(state, answered_work, &leaving))
		*departure = (struct departure){0};
}

static void
leave_work(struct statefile_view *view, void *data)
{
	struct leaving *leaving = data;
	struct hoststate *state = leaving->state;
	struct hostrecord record;
	gboolean known = load(view, state->key, &record);
	struct grant_rest rest;
	gboolean probed =
	    state->probing && record.health.prober == state->ticket;

	stay_apply(&state->stay, &record, &state->limits, health_now(), probed,
	    leaving->departure);
	record.stranger = state->stranger && (!known || record.stranger);
	/* Of who was never contacted nothing is to be remembered. */
	if (known || state->stay.answered || state->stay.failed ||
	    state->stay.suspected)
		statefile_put(view, state->key, &record, sizeof(record));
	if (state->slots_key != NULL &&
	    state->kept > hoststate_held(state, state->name, state->port))
		holdings_hold(state, view);
	else if (state->slots_key != NULL)
		slots_release(view, state->slots_key, state->ticket);
	if (!known)
		sweep_after(view, state->key);
	if (!known && record.stranger)
		sweep_strangers(view);
	grant_end(state, view, &rest);
	if (state->stay.answered)
		prospect_call(state, view, &rest);
}

void
hoststate_keep(struct hoststate *state, guint kept)
{
	state->kept = kept;
}

void
hoststate_leave(struct hoststate *state, struct departure *departure)
{
	struct leaving leaving = {state, departure, state->probing};

	*departure = (struct departure){0};
	if (state->key == NULL)
		return;
	if (!hoststate_use(state, leave_work, &leaving))
		*departure = (struct departure){0};
	forget_choice(state);
}
