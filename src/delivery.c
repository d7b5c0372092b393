/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "attempt.h"
#include "deadline.h"
#include "delivery.h"
#include "maillog.h"
#include "outcome.h"
#include "plan.h"
#include "resolve.h"

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

	peer = g_strdup_printf("%s:%u", candidate->host,
	    candidate->destination->port);
	/* 4.4.3: directory server failure (RFC 3463 section 3.5). */
	outcome_set(&outcome, OUTCOME_NEXT, TROUBLE_HOST, STAGE_RESOLVE,
	    error->domain == RESOLVE_ERROR ? "4.4.3" : "4.3.5", error->message);
	attempt_log_unresolved(attempt, candidate, outcome.text);
	note_tried(progress, peer, &outcome);
	outcome_clear(&outcome);
}

/* No host has decided. */
static void
defer_tried(const struct progress *progress, struct verdict *verdict)
{
	if (progress->mixed)
		verdict_set_mixed(verdict, progress->tried->str);
	else if (progress->tried->len > 0)
		verdict_set(verdict, VERDICT_DEFER, progress->dsn, "%s%s",
		    progress->tried->str,
		    progress->late
			? "; time-limit near, no other host was begun"
			: "");
	else if (progress->late)
		verdict_set(verdict, VERDICT_DEFER, "4.4.1",
		    "time-limit near, no host was begun");
	else
		verdict_set(verdict, VERDICT_DEFER, "4.3.2",
		    "all hosts of the route are drained");
}

/* TRUE: a host, or DNS, has decided, and *verdict is set. */
static gboolean
try_hosts(const struct attempt *attempt, const struct route *route,
    struct plan *plan, struct progress *progress, struct verdict *verdict)
{
	guint count = attempt->envelope->recipients->len;
	gint64 begin_by =
	    attempt->deadline - attempt->settings->time_limit / RESERVE_PART;
	g_autofree struct outcome *outcomes = g_new0(struct outcome, count);
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
			    count, progress, verdict);
		} else if (is_refused_by_dns(route, &candidate, error)) {
			bounce_for_dns(attempt, &candidate, error, verdict);
			decided = TRUE;
		} else {
			note_unresolved(progress, attempt, &candidate, error);
		}
	}
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
	g_autoptr(Plan) plan = NULL;
	g_autoptr(GString) tried = g_string_new(NULL);
	g_autofree char *own_name = NULL;
	struct progress progress = {.tried = tried};
	struct attempt attempt = {
	    .settings = settings,
	    .envelope = envelope,
	    .message = message,
	    .helo_name = settings->helo_name,
	    .deadline = deadline,
	};

	if (discard(route, verdict))
		return;
	if (attempt.helo_name == NULL)
		attempt.helo_name = own_name = resolve_own_name(resolver,
		    MIN(deadline_in(OWN_NAME_SPAN), deadline));
	plan = plan_new(route, first->domain, settings, resolver);
	if (!try_hosts(&attempt, route, plan, &progress, verdict))
		defer_tried(&progress, verdict);
}
