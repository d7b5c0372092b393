/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "address/domain.h"
#include "agent/attempt.h"
#include "agent/connection.h"
#include "agent/delivery.h"
#include "agent/docket.h"
#include "agent/expansion.h"
#include "agent/ownname.h"
#include "agent/patience.h"
#include "agent/plan.h"
#include "agent/portion.h"
#include "agent/unknown.h"
#include "smtp/outcome.h"
#include "util/caller.h"
#include "util/deadline.h"
#include "util/guard.h"
#include "util/maillog.h"

/* The part of the time in which no host is begun: a tenth. */
#define RESERVE_PART 10

/* For /etc/hosts and DNS to complete this machine's name. */
#define OWN_NAME_SPAN (5 * G_USEC_PER_SEC)

/* One message, on its way along one route. */
struct delivery {
	struct attempt attempt;
	const struct envelope *envelope;
	const struct route *route;
	const GArray *rids; /* for the log; NULL: as the docket has them */
	struct station *station;
	struct plan *plan;
	struct docket docket;
	struct portion portion;
	struct wakeup *wakeup;
	struct allowance allowance;
	gboolean late;     /* there is no time for another host */
	const char *spent; /* of the allowance: what there is no more of */
};

/* What DNS says of one mail exchanger is not final for the domain. */
static gboolean
is_refused_by_dns(const struct route *route, const struct candidate *candidate,
    const GError *error)
{
	return route->kind == ROUTE_DNS && unknown_dsn(error) != NULL &&
	    (error->domain == EXPANSION_ERROR ||
		candidate->host == candidate->destination->name);
}

/* The numbers that the log has for these recipients of the docket. */
static GArray *
logged_rids(const struct delivery *delivery, const GArray *rids)
{
	GArray *logged = g_array_new(FALSE, FALSE, sizeof(guint));

	for (guint i = 0; i < rids->len; i++) {
		guint rid = g_array_index(rids, guint, i);

		if (delivery->rids != NULL)
			rid = g_array_index(delivery->rids, guint, rid);
		g_array_append_val(logged, rid);
	}
	return logged;
}

static void
bounce_for_dns(struct delivery *delivery, const struct candidate *candidate,
    const GError *error)
{
	g_autoptr(GArray) rids = NULL;
	g_autofree char *why = error->domain == EXPANSION_ERROR
	    ? g_strdup(error->message)
	    : g_strdup_printf("%s: %s", candidate->host, error->message);
	const char *dsn = unknown_dsn(error);

	rids = logged_rids(delivery, delivery->docket.open);
	attempt_log_bounced(rids, dsn, why);
	docket_close(&delivery->docket, VERDICT_BOUNCE, dsn, why);
}

static void
note_unresolved(struct delivery *delivery, const struct candidate *candidate,
    const GError *error)
{
	g_autofree char *peer = NULL;
	struct outcome outcome = {0};
	struct visit visit = {.outcomes = &outcome, .count = 1, .connect = -1};

	peer = domain_with_port(candidate->host, candidate->destination->port);
	/* 4.4.3: directory server failure (RFC 3463 section 3.5). */
	if (error->domain == RESOLVE_ERROR &&
	    error->code != RESOLVE_ERROR_FAMILY)
		outcome_set(&outcome, OUTCOME_NEXT, TROUBLE_HOST, STAGE_RESOLVE,
		    "4.4.3", error->message);
	else
		outcome_set(&outcome, OUTCOME_NEXT, TROUBLE_MESSAGE,
		    STAGE_RESOLVE, "4.3.5", error->message);
	if (!allowance_is_quiet(&delivery->allowance))
		connection_log_unresolved(&delivery->attempt, candidate,
		    outcome.text);
	allowance_note(&delivery->allowance, NULL);
	hoststate_note(delivery->attempt.state, &visit);
	docket_note(&delivery->docket, peer, &outcome);
	outcome_clear(&outcome);
}

/* A state that is lost costs no mail, but somebody should know. */
static void
log_state_warning(struct hoststate *state)
{
	g_autofree char *warning = hoststate_take_warning(state);

	if (warning != NULL)
		maillog_warning("%s", warning);
}

/* A host that was full may have room for this message in a moment. */
static void
leave_host(struct delivery *delivery, const struct patience *patience)
{
	struct hoststate *state = delivery->attempt.state;
	struct plan *plan = delivery->plan;
	const struct destination *destination = plan_current(plan);
	struct departure departure = {0};

	if (delivery->attempt.keeper != NULL)
		hoststate_keep(state,
		    keeper_count(delivery->attempt.keeper, destination->name,
			destination->port));
	hoststate_leave(state, &departure);
	station_yield(delivery->station);
	attempt_log_departure(destination, &departure);
	log_state_warning(state);
	if (departure.full)
		patience_keeps(patience, plan_reopen(plan));
	portion_leave(&delivery->portion, plan, delivery->docket.open);
}

/*
 * No host can be had.  FALSE: one can by now.  Only what hosts are to blame for
 * is remembered, since nothing else changes with them.
 */
static gboolean
remember(const struct delivery *delivery)
{
	GArray *contenders = plan_contenders(delivery->plan);

	return hoststate_defer(delivery->attempt.state,
	    &g_array_index(contenders, struct contender, 0), contenders->len,
	    docket_is_own(&delivery->docket) ? NULL
					     : delivery->wakeup->queue_id);
}

/* The message needs no wake-up, whatever came before. */
static void
settle(const struct delivery *delivery)
{
	const GArray *contenders = plan_contenders(delivery->plan);

	if (delivery->wakeup->queue_id != NULL)
		hoststate_settle(delivery->attempt.state,
		    &g_array_index(contenders, struct contender, 0),
		    contenders->len, delivery->wakeup->queue_id);
}

/* The next host, as soon as there is one.  FALSE: there is none. */
static gboolean
next_host(struct delivery *delivery, struct patience *patience)
{
	struct hoststate *state = delivery->attempt.state;
	struct plan *plan = delivery->plan;

	hoststate_want(state, delivery->docket.open->len,
	    delivery->docket.each);
	while (!plan_next_destination(plan)) {
		station_yield(delivery->station);
		if (!patience_wait(patience, state, plan_contenders(plan),
			delivery->attempt.begin_by) &&
		    remember(delivery))
			return FALSE;
	}
	station_yield(delivery->station);
	log_state_warning(state);
	return TRUE;
}

/* Of the recipients with the numbers in @rids, and the envelope's sender. */
static struct envelope
envelope_part(const struct envelope *envelope, const GArray *rids)
{
	struct envelope part = {envelope->sender, g_ptr_array_new(),
	    envelope->smtputf8};

	for (guint i = 0; i < rids->len; i++)
		g_ptr_array_add(part.recipients,
		    g_ptr_array_index(envelope->recipients,
			g_array_index(rids, guint, i)));
	return part;
}

static gboolean
is_out_of_time(struct delivery *delivery)
{
	delivery->late = deadline_left(delivery->attempt.begin_by) == 0;
	if (allowance_is_late(&delivery->allowance))
		delivery->spent = allowance_spent(&delivery->allowance);
	return delivery->late || delivery->spent != NULL;
}

/* One transaction.  *again: who is to be in another one at the same host. */
static void
try_once(struct delivery *delivery, const struct candidate *candidate,
    GArray *rids, GArray *again)
{
	struct attempt *attempt = &delivery->attempt;
	struct envelope part = envelope_part(delivery->envelope, rids);
	g_autoptr(GArray) logged = logged_rids(delivery, rids);
	guint count = rids->len;
	g_autofree struct outcome *outcomes = g_new0(struct outcome, count);
	g_autofree char *peer = attempt_peer(candidate);

	attempt->envelope = &part;
	attempt->rids = logged;
	attempt_run(attempt, candidate, outcomes);
	attempt->envelope = delivery->envelope;
	if (attempt->partial)
		portion_part(rids, outcomes, again);
	allowance_note(&delivery->allowance, &outcomes[0]);
	docket_judge(&delivery->docket, peer, rids, outcomes);
	for (guint i = 0; i < count; i++)
		outcome_clear(&outcomes[i]);
	g_ptr_array_unref(part.recipients);
}

static void
try_candidate(struct delivery *delivery, const struct candidate *candidate)
{
	g_autoptr(GArray) rids = portion_new_to(&delivery->portion,
	    candidate->destination, delivery->docket.open);

	while (rids->len > 0) {
		g_autoptr(GArray) again =
		    g_array_new(FALSE, FALSE, sizeof(guint));
		g_autoptr(GArray) later =
		    g_array_new(FALSE, FALSE, sizeof(guint));

		if (!portion_take(&delivery->portion, delivery->attempt.state,
			rids, later))
			return;
		try_once(delivery, candidate, rids, again);
		if (hoststate_is_missed(delivery->attempt.state)) {
			g_array_append_vals(rids, later->data, later->len);
			portion_miss(&delivery->portion, rids);
			return;
		}
		portion_note(&delivery->portion, rids);
		g_array_append_vals(again, later->data, later->len);
		g_array_unref(rids);
		rids = g_steal_pointer(&again);
		if (is_out_of_time(delivery))
			return;
	}
}

/* Tries the addresses of one destination, until all have a verdict. */
static void
try_addresses(struct delivery *delivery)
{
	gint64 begin_by =
	    MIN(delivery->attempt.begin_by, delivery->allowance.until);

	/* try_hosts() has asked for the caller before the first one. */
	for (gboolean first = TRUE; !docket_is_closed(&delivery->docket);
	     first = FALSE) {
		g_autoptr(GError) error = NULL;
		struct candidate candidate;
		enum plan_step step;

		if (is_out_of_time(delivery) || (!first && caller_is_gone()) ||
		    delivery->portion.untried != NULL)
			break;
		step = plan_next(delivery->plan, begin_by, &candidate, &error);
		if (step == PLAN_END)
			break;
		if (step == PLAN_CANDIDATE)
			delivery->spent = allowance_spent(&delivery->allowance);
		if (delivery->spent != NULL)
			break;
		if (step == PLAN_CANDIDATE)
			try_candidate(delivery, &candidate);
		else if (is_refused_by_dns(delivery->route, &candidate, error))
			bounce_for_dns(delivery, &candidate, error);
		else
			note_unresolved(delivery, &candidate, error);
	}
}

/* Whatever happens from here on, it must not come again. */
static void
keep_delivered(const struct docket *docket)
{
	if (!docket->each && docket_is_closed(docket) &&
	    docket->verdicts->kind == VERDICT_DELIVERED)
		guard_status(verdict_status(docket->verdicts));
}

static void
try_hosts(struct delivery *delivery)
{
	struct hoststate *state = delivery->attempt.state;
	const struct choosing choosing =
	    settings_choosing(delivery->attempt.settings, delivery->route->key);
	struct patience patience = {
	    .span = choosing.patience,
	    .left = choosing.patience,
	    .waiting = choosing.waiting,
	};

	delivery->docket.when_unsure = choosing.when_unsure;

	while (!docket_is_closed(&delivery->docket) && !delivery->late &&
	    delivery->spent == NULL && !caller_is_gone() &&
	    next_host(delivery, &patience)) {
		try_addresses(delivery);
		keep_delivered(&delivery->docket);
		leave_host(delivery, &patience);
	}
	if (delivery->late)
		remember(delivery);
	if (docket_is_closed(&delivery->docket) ||
	    docket_is_own(&delivery->docket))
		settle(delivery);
	log_state_warning(state);
}

/* TRUE: it was. */
static gboolean
discard(struct delivery *delivery)
{
	if (delivery->route->kind != ROUTE_DISCARD)
		return FALSE;
	maillog_info("Dropped: the route is /dev/null");
	docket_close(&delivery->docket, VERDICT_DELIVERED, "2.0.0",
	    "dropped: the route is /dev/null");
	return TRUE;
}

/* No host has decided. */
static void
give_up(struct delivery *delivery)
{
	/* A verdict for nobody. */
	if (caller_is_gone()) {
		maillog_warning(CALLER_GONE);
		docket_close(&delivery->docket, VERDICT_DEFER, "4.3.0",
		    CALLER_GONE);
	} else {
		docket_defer(&delivery->docket, plan_contenders(delivery->plan),
		    delivery->late, delivery->spent);
	}
}

static void
run(struct delivery *delivery)
{
	struct station *station = delivery->station;
	struct attempt *attempt = &delivery->attempt;
	const struct settings *settings = attempt->settings;
	const struct mailbox *first =
	    g_ptr_array_index(delivery->envelope->recipients, 0);
	g_autoptr(Plan) plan = NULL;
	g_autofree char *own_name = NULL;
	g_autofree char *summary = NULL;

	allowance_begin(&delivery->allowance, settings,
	    delivery->route->kind == ROUTE_DNS);
	attempt->allowance = &delivery->allowance;
	station_begin(station, delivery->envelope->sender->path);
	attempt->state = station->state;
	attempt->resolver = station->resolver;
	attempt->helo_name = settings->helo_name;
	if (attempt->helo_name == NULL)
		attempt->helo_name = own_name =
		    ownname_get(settings->state_directory, attempt->resolver,
			MIN(deadline_in(OWN_NAME_SPAN), attempt->deadline));
	plan = plan_new(delivery->route, first->domain, settings,
	    attempt->resolver, attempt->state);
	plan_set_own_name(plan, attempt->helo_name);
	delivery->plan = plan;
	try_hosts(delivery);
	wakeup_add(delivery->wakeup, hoststate_take_calls(attempt->state));
	if (!docket_is_closed(&delivery->docket))
		give_up(delivery);
	summary = allowance_summary(&delivery->allowance, first->domain);
	if (summary != NULL)
		maillog_info("%s", summary);
}

struct delivery_span
delivery_span(gint64 begin_by, gint64 deadline)
{
	gint64 reserve = deadline_left(deadline) / RESERVE_PART;
	struct delivery_span span = {
	    .begin_by = MIN(begin_by, deadline - reserve),
	    .deadline = deadline,
	};

	return span;
}

static struct delivery
delivery_at(struct station *station, const struct envelope *envelope,
    const struct route *route, struct message *message,
    const struct delivery_span *span, struct wakeup *wakeup)
{
	return (struct delivery){
	    .attempt = {.settings = station->settings,
		.message = message,
		.keeper = station->keeper,
		.deadline = span->deadline,
		.begin_by = span->begin_by},
	    .envelope = envelope,
	    .route = route,
	    .station = station,
	    .wakeup = wakeup,
	};
}

static void
deliver_as(struct delivery *delivery, gboolean each, struct verdict *verdicts)
{
	delivery->attempt.envelope = delivery->envelope;
	delivery->attempt.partial = each;
	docket_init(&delivery->docket, delivery->envelope->recipients->len,
	    each, verdicts);
	if (!discard(delivery))
		run(delivery);
	portion_clear(&delivery->portion);
	docket_clear(&delivery->docket);
}

void
deliver(const struct settings *settings, const struct envelope *envelope,
    const struct route *route, struct message *message, gint64 deadline,
    struct wakeup *wakeup, struct verdict *verdict)
{
	g_autoptr(Station) station = station_new(settings, FALSE);
	const struct delivery_span span = delivery_span(deadline, deadline);
	struct delivery delivery =
	    delivery_at(station, envelope, route, message, &span, wakeup);

	deliver_as(&delivery, FALSE, verdict);
}

void
deliver_each(struct station *station, const struct envelope *envelope,
    const struct route *route, const GArray *rids, struct message *message,
    const struct delivery_span *span, struct wakeup *wakeup,
    struct verdict *verdicts)
{
	struct delivery delivery =
	    delivery_at(station, envelope, route, message, span, wakeup);

	delivery.rids = rids;
	deliver_as(&delivery, TRUE, verdicts);
}

void
deliver_inquiry(struct station *station, const struct envelope *envelope,
    const struct route *route, struct message *message,
    const struct delivery_span *span, struct wakeup *wakeup,
    struct verdict *verdict)
{
	struct delivery delivery =
	    delivery_at(station, envelope, route, message, span, wakeup);

	delivery.attempt.inquiry = TRUE;
	deliver_as(&delivery, TRUE, verdict);
}
