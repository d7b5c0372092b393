/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "hosts/stay.h"

G_STATIC_ASSERT(STAGE_COUNT <= HOSTRECORD_STAGES);

/* The first outcome that is such trouble; NULL: none is. */
static const struct outcome *
find_trouble(const struct visit *visit, enum trouble trouble)
{
	for (guint i = 0; i < visit->count; i++) {
		if (visit->outcomes[i].trouble == trouble)
			return &visit->outcomes[i];
	}
	return NULL;
}

gboolean
stay_looks_full(const struct visit *visit)
{
	const struct outcome *outcome = find_trouble(visit, TROUBLE_HOST);

	if (outcome == NULL)
		return FALSE;
	switch (outcome->stage) {
	case STAGE_CONNECT:
		return visit->refused;
	case STAGE_GREETING:
		return outcome->code / 100 == 4;
	default:
		return outcome->code == 421 && stage_is_opening(outcome->stage);
	}
}

/* Trouble of our own says nothing of the host; a reply does. */
static gboolean
has_answered(const struct visit *visit)
{
	for (guint i = 0; i < visit->count; i++) {
		if (visit->outcomes[i].code != 0)
			return TRUE;
	}
	return FALSE;
}

static void
count_recipients(struct hostrecord *gained, const struct visit *visit)
{
	for (guint i = 0; i < visit->count; i++) {
		switch (visit->outcomes[i].kind) {
		case OUTCOME_DELIVERED:
			gained->deliveries++;
			break;
		case OUTCOME_BOUNCE:
			gained->bounces++;
			break;
		case OUTCOME_NEXT:
		case OUTCOME_UNFIT:
		case OUTCOME_UNSURE:
			gained->deferrals++;
			break;
		case OUTCOME_HELD:
			break;
		}
	}
}

static void
note_error(struct hostrecord *gained, const struct outcome *outcome)
{
	gained->last_failure = g_get_real_time();
	g_strlcpy(gained->last_error, outcome->text,
	    sizeof(gained->last_error));
}

static void
copy_address(char to[ENDPOINT_TEXT_SIZE], const char *address)
{
	g_strlcpy(to, address, ENDPOINT_TEXT_SIZE);
}

static void
note_failure(struct stay *stay, const struct visit *visit,
    const struct outcome *outcome, guint sessions)
{
	struct hostrecord *gained = &stay->gained;

	stay->sessions =
	    stay->failed ? MIN(stay->sessions, sessions) : sessions;
	stay->failed = TRUE;
	gained->failures[outcome->stage]++;
	note_error(gained, outcome);
	if (visit->address != NULL && stay->bad_count < HOSTRECORD_ADDRESSES)
		copy_address(gained->bad[stay->bad_count++].text,
		    visit->address);
}

static void
note_answer(struct stay *stay, const struct visit *visit)
{
	stay->answered = TRUE;
	stay->gained.last_success = g_get_real_time();
	latency_add(&stay->gained.total, visit->total);
	if (visit->address != NULL && stay->good_count < HOSTRECORD_ADDRESSES)
		copy_address(stay->good[stay->good_count++], visit->address);
}

static void
note_suspicion(struct stay *stay, const struct outcome *outcome)
{
	stay->suspected = TRUE;
	note_error(&stay->gained, outcome);
}

void
stay_note(struct stay *stay, const struct visit *visit, guint sessions)
{
	const struct outcome *trouble = find_trouble(visit, TROUBLE_HOST);
	const struct outcome *suspicion = find_trouble(visit, TROUBLE_SUSPECT);

	if (visit->connect >= 0) {
		stay->gained.connections++;
		latency_add(&stay->gained.connect, visit->connect);
		if (!visit->inquiry)
			count_recipients(&stay->gained, visit);
	}
	stay->tls_hung |= visit->tls_hung;
	if (trouble != NULL)
		note_failure(stay, visit, trouble, sessions);
	else if (suspicion != NULL)
		note_suspicion(stay, suspicion);
	else if (has_answered(visit))
		note_answer(stay, visit);
}

static void
add_latency(struct latency *to, const struct latency *from)
{
	/* One stay has one answer, with few exceptions. */
	for (guint64 i = 0; i < from->count; i++)
		latency_add(to, (gint64)(from->sum / from->count));
}

/* In the hour that it has come to. */
static void
add_hour(struct hostrecord *record, const struct hostrecord *gained)
{
	struct hourly *hourly = &record->hourly;
	gint64 now = record->seen;
	guint64 failures = 0;

	for (guint i = 0; i < HOSTRECORD_STAGES; i++)
		failures += gained->failures[i];
	hourly_add(hourly, now, HOURLY_SENT, gained->deliveries);
	hourly_add(hourly, now, HOURLY_DEFERRED, gained->deferrals);
	hourly_add(hourly, now, HOURLY_BOUNCED, gained->bounces);
	hourly_add(hourly, now, HOURLY_FAILED, failures);
}

static void
add_counters(struct hostrecord *record, const struct hostrecord *gained)
{
	record->deliveries += gained->deliveries;
	record->deferrals += gained->deferrals;
	record->bounces += gained->bounces;
	record->connections += gained->connections;
	for (guint i = 0; i < HOSTRECORD_STAGES; i++)
		record->failures[i] += gained->failures[i];
	if (gained->last_success != 0)
		record->last_success = gained->last_success;
	if (gained->last_failure != 0) {
		record->last_failure = gained->last_failure;
		memcpy(record->last_error, gained->last_error,
		    sizeof(record->last_error));
	}
	add_latency(&record->connect, &gained->connect);
	add_latency(&record->total, &gained->total);
}

/* The place of an address, else the one that is free or soonest will be. */
static struct bad_address *
find_bad(struct hostrecord *record, const char *text)
{
	struct bad_address *found = &record->bad[0];

	for (guint i = 0; i < HOSTRECORD_ADDRESSES; i++) {
		struct bad_address *bad = &record->bad[i];

		if (strncmp(bad->text, text, sizeof(bad->text)) == 0)
			return bad;
		if (bad->until < found->until)
			found = bad;
	}
	return found;
}

/* While the host as a whole is up, some of its addresses may be bad. */
static void
apply_addresses(const struct stay *stay, struct hostrecord *record,
    gint64 until)
{
	for (guint i = 0; i < stay->bad_count; i++) {
		const char *text = stay->gained.bad[i].text;
		struct bad_address *bad = find_bad(record, text);

		g_strlcpy(bad->text, text, sizeof(bad->text));
		bad->until = until;
	}
	for (guint i = 0; i < stay->good_count; i++) {
		struct bad_address *bad = find_bad(record, stay->good[i]);

		if (strncmp(bad->text, stay->good[i], sizeof(bad->text)) == 0)
			*bad = (struct bad_address){0};
	}
}

void
stay_come_up(struct hostrecord *record, struct departure *departure)
{
	if (health_is_up(&record->health))
		return;
	departure->change = CHANGE_UP;
	departure->span = MAX(g_get_real_time() - record->health.since, 0);
	record->outage = departure->span;
	health_admit(&record->health);
}

static void
go_down(const struct stay *stay, struct hostrecord *record,
    const struct health_limits *limits, gint64 now, gboolean probed,
    struct departure *departure)
{
	/* Who set out before it came up has learnt nothing new. */
	if (!probed && health_is_up(&record->health) &&
	    !health_was_up(&record->health, stay->begun))
		return;
	/* What succeeds from now on is no more in a row with what did. */
	record->capacity.succeeded = 0;
	departure->span = health_fail(&record->health, limits, now, probed);
	if (departure->span > 0)
		departure->change = CHANGE_DOWN;
}

static void
become_suspect(const struct stay *stay, struct hostrecord *record,
    const struct health_limits *limits, gint64 now, gboolean probed,
    struct departure *departure)
{
	gboolean suspect = record->suspicion.sender != 0;

	if (suspicion_confirmed(&record->suspicion, stay->sender) || probed)
		go_down(stay, record, limits, now, probed, departure);
	else if (!suspect && health_is_up(&record->health))
		departure->change = CHANGE_SUSPECT;
}

/* It serves others of ours, so it is up. */
static void
become_full(const struct stay *stay, struct hostrecord *record,
    const struct health_limits *limits, gint64 now, struct departure *departure)
{
	stay_come_up(record, departure);
	health_succeed(&record->health);
	departure->full = TRUE;
	departure->sessions = stay->sessions;
	if (capacity_refused(&record->capacity, stay->sessions, now,
		limits->max))
		departure->change = CHANGE_FULL;
}

static void
answer(const struct stay *stay, struct hostrecord *record,
    const struct health_limits *limits, gint64 now, struct departure *departure)
{
	apply_addresses(stay, record, now + limits->max);
	stay_come_up(record, departure);
	health_succeed(&record->health);
	record->suspicion = (struct suspicion){0};
	capacity_succeeded(&record->capacity, now, limits->max);
}

void
stay_apply(const struct stay *stay, struct hostrecord *record,
    const struct health_limits *limits, gint64 now, gboolean probed,
    struct departure *departure)
{
	*departure = (struct departure){0};
	record->seen = g_get_real_time();
	add_counters(record, &stay->gained);
	add_hour(record, &stay->gained);
	if (stay->tls_hung)
		record->tls_hung = now + limits->max;
	if (stay->answered)
		answer(stay, record, limits, now, departure);
	else if (stay->suspected)
		become_suspect(stay, record, limits, now, probed, departure);
	else if (stay->failed && stay->sessions > 0)
		become_full(stay, record, limits, now, departure);
	else if (stay->failed)
		go_down(stay, record, limits, now, probed, departure);
	if (probed && departure->change == CHANGE_NONE)
		record->health.prober = 0;
}
