/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "address/domain.h"
#include "agent/attempt.h"
#include "agent/delivery.h"
#include "agent/limits.h"
#include "agent/passedover.h"
#include "agent/patience.h"
#include "agent/plan.h"
#include "dns/resolve.h"
#include "smtp/outcome.h"
#include "util/deadline.h"
#include "util/guard.h"
#include "util/maillog.h"

/*
 * No host is begun in the last tenth of the time limit: it would hardly come
 * to an answer, and a delivery cut off after the final dot is a duplicate.
 */
#define RESERVE_PART 10

/*
 * Of the hosts' names and texts, so that the line has room for what is said
 * after them (VERDICT_LINE_MAX).
 */
#define TRIED_MAX 3000

/* For /etc/hosts and DNS to complete this machine's name. */
#define OWN_NAME_SPAN (5 * G_USEC_PER_SEC)

/* What has come of a delivery so far. */
struct progress {
	GString *tried;     /* "peer: what happened; ..." */
	char dsn[DSN_SIZE]; /* of the last reply, else of the last failure */
	gboolean replied;
	gboolean mixed; /* recipients were answered differently */
	gboolean late;  /* ended for want of time */
};

static void
note_tried(struct progress *progress, const char *peer,
    const struct outcome *outcome)
{
	if (progress->tried->len < TRIED_MAX)
		g_string_append_printf(progress->tried, "%s%s: %s",
		    progress->tried->len > 0 ? "; " : "", peer, outcome->text);
	else if (!g_str_has_suffix(progress->tried->str, "; ..."))
		g_string_append(progress->tried, "; ...");
	if (outcome->code == 0 && progress->replied)
		return;
	progress->replied = outcome->code != 0;
	g_strlcpy(progress->dsn, outcome->dsn, sizeof(progress->dsn));
}

static guint
count_kind(const struct outcome *outcomes, guint count, enum outcome_kind kind)
{
	guint n = 0;

	for (guint i = 0; i < count; i++)
		n += outcomes[i].kind == kind;
	return n;
}

/* The first outcome that is not a mere consequence of another one's. */
static const struct outcome *
first_cause(const struct outcome *outcomes, guint count)
{
	for (guint i = 0; i < count; i++)
		if (outcomes[i].kind != OUTCOME_HELD)
			return &outcomes[i];
	return &outcomes[0];
}

/* TRUE: the attempt has decided, and *verdict is set. */
static gboolean
judge(const struct settings *settings, const char *peer,
    const struct outcome *outcomes, guint count, struct progress *progress,
    struct verdict *verdict)
{
	const struct outcome *cause = first_cause(outcomes, count);
	guint bounced = count_kind(outcomes, count, OUTCOME_BOUNCE);

	note_tried(progress, peer, cause);
	if (cause->kind == OUTCOME_DELIVERED) {
		verdict_set(verdict, VERDICT_DELIVERED, cause->dsn, "%s: %s",
		    peer, cause->text);
	} else if (bounced == count) {
		verdict_set(verdict, VERDICT_BOUNCE, cause->dsn, "%s: %s", peer,
		    cause->text);
	} else if (bounced > 0) {
		verdict_set_mixed(verdict, progress->tried->str);
	} else if (cause->kind == OUTCOME_UNSURE &&
	    settings->when_unsure == WHEN_UNSURE_DEFER) {
		verdict_set(verdict, VERDICT_DEFER, cause->dsn,
		    "%s; no other host was tried, since this one may have "
		    "accepted it",
		    progress->tried->str);
	} else {
		if (count_kind(outcomes, count, OUTCOME_HELD) > 0)
			progress->mixed = TRUE;
		return FALSE;
	}
	return TRUE;
}

/*
 * USEDNS: DNS is not of our making there, and its answer that the domain has
 * no mail exchanger is final.
 */
static gboolean
is_refused_by_dns(const struct route *route, const struct candidate *candidate,
    const GError *error)
{
	return route->kind == ROUTE_DNS &&
	    candidate->host == candidate->destination->name &&
	    (g_error_matches(error, RESOLVE_ERROR, RESOLVE_ERROR_NULL_MX) ||
		g_error_matches(error, RESOLVE_ERROR, RESOLVE_ERROR_NOT_FOUND));
}

static void
bounce_for_dns(const struct attempt *attempt, const struct candidate *candidate,
    const GError *error, struct verdict *verdict)
{
	g_autofree char *why = NULL;
	const char *dsn = "5.1.2"; /* RFC 3463 section 3.2 */

	/* RFC 7505 section 4.2. */
	if (g_error_matches(error, RESOLVE_ERROR, RESOLVE_ERROR_NULL_MX))
		dsn = "5.1.10";
	why = g_strdup_printf("%s: %s", candidate->host, error->message);
	attempt_log_bounced(attempt, dsn, why);
	verdict_set(verdict, VERDICT_BOUNCE, dsn, "%s", why);
}

static void
note_unresolved(struct progress *progress, const struct attempt *attempt,
    const struct candidate *candidate, const GError *error)
{
	g_autofree char *peer = NULL;
	struct outcome outcome = {0};
	struct visit visit = {.outcomes = &outcome, .count = 1, .connect = -1};

	peer = domain_with_port(candidate->host, candidate->destination->port);
	/* 4.4.3: directory server failure (RFC 3463 section 3.5). */
	if (error->domain == RESOLVE_ERROR)
		outcome_set(&outcome, OUTCOME_NEXT, TROUBLE_HOST, STAGE_RESOLVE,
		    "4.4.3", error->message);
	else
		outcome_set(&outcome, OUTCOME_NEXT, TROUBLE_MESSAGE,
		    STAGE_RESOLVE, "4.3.5", error->message);
	attempt_log_unresolved(attempt, candidate, outcome.text);
	hoststate_note(attempt->state, &visit);
	note_tried(progress, peer, &outcome);
	outcome_clear(&outcome);
}

/* No host has decided. */
static void
defer_tried(const struct progress *progress, struct plan *plan,
    struct verdict *verdict)
{
	const char *tried = progress->tried->str;
	g_autofree char *rest = NULL;

	if (progress->mixed) {
		verdict_set_mixed(verdict, tried);
	} else if (progress->late) {
		verdict_set(verdict, VERDICT_DEFER,
		    progress->tried->len > 0 ? progress->dsn : "4.4.1",
		    "%s%stime-limit near, no %shost was begun", tried,
		    progress->tried->len > 0 ? "; " : "",
		    progress->tried->len > 0 ? "other " : "");
	} else if (progress->tried->len > 0) {
		rest = passedover_text(plan_contenders(plan));
		verdict_set(verdict, VERDICT_DEFER, progress->dsn, "%s%s",
		    tried, rest);
	} else {
		passedover_verdict(plan_contenders(plan), verdict);
	}
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
leave_host(struct hoststate *state, struct plan *plan,
    const struct patience *patience)
{
	const struct destination *destination = plan_current(plan);
	struct departure departure = {0};

	hoststate_leave(state, &departure);
	attempt_log_departure(destination, &departure);
	log_state_warning(state);
	if (departure.full)
		patience_keeps(patience, plan_reopen(plan));
}

/* The next host, as soon as there is one.  FALSE: there is none. */
static gboolean
next_host(struct hoststate *state, struct plan *plan, struct patience *patience,
    gint64 begin_by)
{
	while (!plan_next_destination(plan)) {
		if (!patience_wait(patience, state, plan_contenders(plan),
			begin_by))
			return FALSE;
	}
	log_state_warning(state);
	return TRUE;
}

/*
 * Tries the addresses of one destination.  TRUE: a host, or DNS, has decided,
 * and *verdict is set.
 */
static gboolean
try_addresses(const struct attempt *attempt, const struct route *route,
    struct plan *plan, gint64 begin_by, struct outcome *outcomes,
    struct progress *progress, struct verdict *verdict)
{
	gboolean decided = FALSE;

	while (!decided) {
		g_autoptr(GError) error = NULL;
		g_autofree char *peer = NULL;
		struct candidate candidate;
		enum plan_step step;

		progress->late = deadline_left(begin_by) == 0;
		if (progress->late)
			break;
		step = plan_next(plan, begin_by, &candidate, &error);
		if (step == PLAN_END)
			break;
		if (step == PLAN_CANDIDATE) {
			peer = attempt_peer(&candidate);
			attempt_run(attempt, &candidate, outcomes);
			decided = judge(attempt->settings, peer, outcomes,
			    attempt->envelope->recipients->len, progress,
			    verdict);
		} else if (is_refused_by_dns(route, &candidate, error)) {
			bounce_for_dns(attempt, &candidate, error, verdict);
			decided = TRUE;
		} else {
			note_unresolved(progress, attempt, &candidate, error);
		}
	}
	return decided;
}

static gboolean
try_hosts(const struct attempt *attempt, const struct route *route,
    struct plan *plan, struct progress *progress, struct verdict *verdict)
{
	guint count = attempt->envelope->recipients->len;
	gint64 begin_by = attempt->begin_by;
	g_autofree struct outcome *outcomes = g_new0(struct outcome, count);
	struct patience patience = {
	    .left = attempt->settings->patience,
	    .waiting = attempt->settings->waiting,
	};
	gboolean decided = FALSE;

	while (!decided && !progress->late &&
	    next_host(attempt->state, plan, &patience, begin_by)) {
		decided = try_addresses(attempt, route, plan, begin_by,
		    outcomes, progress, verdict);
		/* Whatever happens from here on, it must not come again. */
		if (decided && verdict->kind == VERDICT_DELIVERED)
			guard_status(verdict_status(verdict));
		leave_host(attempt->state, plan, &patience);
	}
	log_state_warning(attempt->state);
	for (guint i = 0; i < count; i++)
		outcome_clear(&outcomes[i]);
	return decided;
}

/* TRUE: *verdict is set. */
static gboolean
discard(const struct route *route, struct verdict *verdict)
{
	if (route->kind != ROUTE_DISCARD)
		return FALSE;
	maillog_info("Dropped: the route is /dev/null");
	verdict_set(verdict, VERDICT_DELIVERED, "2.0.0",
	    "dropped: the route is /dev/null");
	return TRUE;
}

void
deliver(const struct settings *settings, const struct envelope *envelope,
    const struct route *route, struct message *message, gint64 deadline,
    struct verdict *verdict)
{
	const struct mailbox *first =
	    g_ptr_array_index(envelope->recipients, 0);
	g_autoptr(Resolver) resolver = resolver_new(settings->dns_servers);
	const struct health_limits limits = limits_health(settings);
	g_autoptr(Hoststate) state =
	    hoststate_new(settings->state_directory, &limits);
	g_autoptr(Plan) plan = NULL;
	g_autoptr(GString) tried = g_string_new(NULL);
	g_autofree char *own_name = NULL;
	struct progress progress = {.tried = tried};
	struct attempt attempt = {
	    .settings = settings,
	    .envelope = envelope,
	    .message = message,
	    .state = state,
	    .resolver = resolver,
	    .helo_name = settings->helo_name,
	    .deadline = deadline,
	    .begin_by = deadline - settings->time_limit / RESERVE_PART,
	};

	if (discard(route, verdict))
		return;
	hoststate_set_sender(state, envelope->sender->path);
	if (attempt.helo_name == NULL)
		attempt.helo_name = own_name = resolve_own_name(resolver,
		    MIN(deadline_in(OWN_NAME_SPAN), deadline));
	plan = plan_new(route, first->domain, settings, resolver, state);
	if (!try_hosts(&attempt, route, plan, &progress, verdict))
		defer_tried(&progress, plan, verdict);
}
