/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "address/domain.h"
#include "agent/attempt.h"
#include "agent/connection.h"
#include "agent/patience.h"
#include "agent/security.h"
#include "hosts/holdings.h"
#include "smtp/dial.h"
#include "smtp/fold.h"
#include "smtp/offer.h"
#include "smtp/wire.h"
#include "util/autofd.h"
#include "util/deadline.h"
#include "util/decimal.h"
#include "util/maillog.h"

char *
attempt_peer(const struct candidate *candidate)
{
	char port[DECIMAL_SIZE];

	return g_strconcat(candidate->host, "[", candidate->address,
	    "]:", decimal(endpoint_port(&candidate->endpoint), port), NULL);
}

void
attempt_log_bounced(const GArray *rids, const char *dsn, const char *why)
{
	for (guint i = 0; i < rids->len; i++)
		maillog_info("Bounced: DCID 0 to RID [%u] - %s - %s",
		    g_array_index(rids, guint, i), dsn, why);
}

static void
set_all(struct outcome *outcomes, guint count, const struct outcome *outcome)
{
	for (guint i = 0; i < count; i++)
		outcome_copy(&outcomes[i], outcome);
}

/* Before the content: a stranger's host has less time. */
static gint64
opening_deadline(const struct attempt *attempt)
{
	return MIN(attempt->deadline, attempt->allowance->until);
}

/* *ret_refused: has the host refused the connection? */
static int
connect_candidate(const struct candidate *candidate, gint64 total,
    struct outcome *outcome, gboolean *ret_refused)
{
	const struct host_settings *settings = &candidate->settings;
	struct endpoint from;
	g_autoptr(GError) error = NULL;
	g_autofree char *late = NULL;
	gboolean bound;
	int fd;

	bound =
	    settings->bind != NULL && endpoint_parse(settings->bind, 0, &from);
	fd = dial(&candidate->endpoint, bound ? &from : NULL,
	    MIN(deadline_in(settings->timeouts.connect), total), &error);
	if (fd >= 0)
		return fd;
	if (g_error_matches(error, DIAL_ERROR, DIAL_ERROR_TIMEOUT))
		late = deadline_passed(settings->timeouts.connect, total);
	outcome_from_failure(outcome, STAGE_CONNECT,
	    late != NULL ? late : error->message);
	*ret_refused = g_error_matches(error, DIAL_ERROR, DIAL_ERROR_REFUSED);
	if (g_error_matches(error, DIAL_ERROR, DIAL_ERROR_LOCAL))
		outcome->trouble = TROUBLE_MESSAGE;
	return -1;
}

void
attempt_log_departure(const struct destination *destination,
    const struct departure *departure)
{
	g_autofree char *name = departure->change == CHANGE_NONE
	    ? NULL
	    : domain_with_port(destination->name, destination->port);
	g_autoptr(GDateTime) now = NULL;
	g_autoptr(GDateTime) then = NULL;
	g_autofree char *until = NULL;

	switch (departure->change) {
	case CHANGE_NONE:
		return;
	case CHANGE_UP:
		maillog_info("host %s is up, after %" G_GINT64_FORMAT " s",
		    name, departure->span / G_USEC_PER_SEC);
		return;
	case CHANGE_SUSPECT:
		maillog_info("host %s is suspect: it is down if another "
			     "sender's message ends so",
		    name);
		return;
	case CHANGE_FULL:
		maillog_info("host %s is full: it takes %u sessions at a time",
		    name, departure->sessions);
		return;
	case CHANGE_DOWN:
		now = g_date_time_new_now_local();
		then = g_date_time_add(now, departure->span);
		until = g_date_time_format(then, "%Y-%m-%d %H:%M:%S");
		maillog_info("host %s is down until %s", name, until);
		return;
	}
}

static void
note_greeted(void *data)
{
	const struct connection *connection = data;

	hoststate_greeted(connection->attempt->state);
}

/* How long others will take to come to MAIL only a new connection can tell. */
static gboolean
begin(void *data)
{
	const struct connection *connection = data;
	const struct attempt *attempt = connection->attempt;

	return patience_claim(attempt->state, !connection->kept,
	    attempt->deadline);
}

/* MAIL was accepted: nothing that may follow concerns the host's health. */
static void
note_accepted(void *data)
{
	const struct connection *connection = data;
	struct departure departure = {0};

	hoststate_answered(connection->attempt->state, &departure);
	attempt_log_departure(connection->candidate->destination, &departure);
}

static const struct wire_events events = {
    .greeted = note_greeted,
    .secured = connection_log_secured,
    .unsecured = connection_log_unsecured,
    .authenticated = connection_log_authenticated,
    .said = connection_log_said,
    .begin = begin,
    .unnoticed = connection_log_unnoticed,
    .accepted = note_accepted,
};

static struct wire_job
make_job(struct connection *connection, const struct security *security,
    struct message *message, guint auth_without)
{
	const struct attempt *attempt = connection->attempt;
	const struct host_settings *settings = &connection->candidate->settings;
	struct wire_job job = {
	    .helo_name = settings->helo_name != NULL ? settings->helo_name
						     : attempt->helo_name,
	    .sender = attempt->envelope->sender,
	    .recipients = attempt->envelope->recipients,
	    .partial = attempt->partial,
	    .inquiry = attempt->inquiry,
	    .lmtp = connection->candidate->destination->lmtp,
	    .smtputf8 = attempt->envelope->smtputf8,
	    .keep = attempt->keeper != NULL && !attempt->inquiry,
	    .message = message,
	    .timeouts = &settings->timeouts,
	    .deadline = attempt->deadline,
	    .content_by = attempt->allowance->until,
	    .tls = &security->tls,
	    .credentials = security->credentials,
	    .auth_in_clear = settings->auth_in_clear == ANSWER_YES,
	    .auth_without = auth_without,
	    .ehlo_ignore = settings->ehlo_ignore,
	    .next_host_on = settings->next_host_on,
	    .transcript = settings->transcript == ANSWER_YES,
	    .events = &events,
	    .data = connection,
	};

	return job;
}

/*
 * For the next message, or it is closed.  @id: to keep it by, NULL: it is not
 * kept.
 */
static void
put_away(const struct connection *connection, struct wire *wire, char *id)
{
	const struct attempt *attempt = connection->attempt;
	struct kept *kept;

	if (id == NULL) {
		wire_free(wire);
		return;
	}
	kept = g_new0(struct kept, 1);
	kept->wire = wire;
	kept->name = g_strdup(connection->candidate->destination->name);
	kept->port = connection->candidate->destination->port;
	kept->id = id;
	kept->dcid = connection->dcid;
	g_strlcpy(kept->interface, connection->interface,
	    sizeof(kept->interface));
	keeper_put(attempt->keeper, kept,
	    connection->candidate->settings.max_messages);
}

/*
 * Was it dead before it had the message?  Nothing is lost then, and the host
 * has done nothing wrong: it may close when it likes.
 */
static gboolean
was_dead(const struct outcome *outcomes, guint count)
{
	for (guint i = 0; i < count; i++) {
		const struct outcome *outcome = &outcomes[i];
		gboolean lost =
		    outcome->code == 0 && outcome->trouble == TROUBLE_HOST;

		if (outcome->kind != OUTCOME_NEXT ||
		    outcome->stage > STAGE_DATA ||
		    (!lost && outcome->code != 421))
			return FALSE;
	}
	return TRUE;
}

/*
 * The host may have seen MAIL on a connection that was dead, so that another
 * one takes more of its rate.  FALSE: there is none left.
 */
static gboolean
may_try_again(const struct attempt *attempt, struct outcome *outcomes,
    guint count)
{
	hoststate_missed(attempt->state);
	if (hoststate_grant(attempt->state, count) >= count)
		return TRUE;
	for (guint i = 0; i < count; i++)
		outcome_set(&outcomes[i], OUTCOME_NEXT, TROUBLE_MESSAGE,
		    STAGE_MAIL, "4.4.5", "at its rate");
	return FALSE;
}

/* TRUE: over a connection that was kept, and all outcomes are set. */
static gboolean
run_kept(struct connection *connection, const struct wire_job *job,
    const char *id, struct outcome *outcomes, struct visit *visit)
{
	const struct attempt *attempt = connection->attempt;
	struct connection fresh = *connection;
	struct wire_again again;
	struct kept *kept = keeper_take(attempt->keeper, id);

	if (kept == NULL)
		return FALSE;
	connection->kept = TRUE;
	connection->dcid = kept->dcid;
	g_strlcpy(connection->interface, kept->interface,
	    sizeof(connection->interface));
	/* It was greeted long ago. */
	note_greeted(connection);
	wire_send(kept->wire, job, outcomes, &again);
	g_assert(again.why == NULL);
	if (was_dead(outcomes, visit->count)) {
		kept_free(kept);
		*connection = fresh;
		return !may_try_again(attempt, outcomes, visit->count);
	}
	hoststate_return_dcid(attempt->state, fresh.dcid);
	keeper_put(attempt->keeper, kept,
	    connection->candidate->settings.max_messages);
	return TRUE;
}

/* One more connection than there are slots takes the place of a kept one. */
static void
make_room(const struct connection *connection)
{
	const struct attempt *attempt = connection->attempt;
	const struct destination *destination =
	    connection->candidate->destination;
	const char *name = destination->name;
	guint16 port = destination->port;

	if (attempt->keeper != NULL &&
	    keeper_count(attempt->keeper, name, port) >
		hoststate_held(attempt->state, name, port) &&
	    !hoststate_widen(attempt->state))
		keeper_close(attempt->keeper, name, port, 1);
}

/*
 * Over a connection of its own; *again: as of wire_send().  @id: to keep it
 * by, NULL: it is not kept.
 */
static void
run_new(struct connection *connection, const struct wire_job *job, char *id,
    struct outcome *outcomes, struct visit *visit, struct wire_again *again)
{
	gint64 begun = g_get_monotonic_time();
	struct wire_job resuming = *job;
	struct tls_policy tls = *job->tls;
	struct outcome failure = {0};
	g_autofree char *session_id = NULL;
	struct wire *wire;
	int fd;

	hoststate_connecting(connection->attempt->state);
	make_room(connection);
	fd = connect_candidate(connection->candidate,
	    opening_deadline(connection->attempt), &failure, &visit->refused);
	if (fd < 0) {
		set_all(outcomes, visit->count, &failure);
		outcome_clear(&failure);
		g_free(id);
		return;
	}
	visit->connect = g_get_monotonic_time() - begun;
	connection_log_new(connection, fd);
	if (id != NULL)
		session_id =
		    keeper_resume(connection->attempt->keeper, id, &tls);
	resuming.tls = &tls;
	wire = wire_new(fd);
	wire_send(wire, &resuming, outcomes, again);
	put_away(connection, wire, id);
}

/* As run_new(), or over a connection that was kept. */
static void
run_connection(struct connection *connection, const struct security *security,
    struct message *message, guint auth_without, struct outcome *outcomes,
    struct visit *visit, struct wire_again *again)
{
	const struct wire_job job =
	    make_job(connection, security, message, auth_without);
	g_autofree char *id = NULL;

	connection->credentials = security->credentials;
	if (job.keep)
		id = keeper_id(connection->candidate, job.helo_name,
		    security->credentials);
	if (id == NULL || !run_kept(connection, &job, id, outcomes, visit))
		run_new(connection, &job, g_steal_pointer(&id), outcomes, visit,
		    again);
}

/*
 * What listens at port 25 and is no SMTP server may be anybody's, and where it
 * is the recipient's domain has chosen: the sender is not told what it says.
 */
static void
hush(struct outcome *outcome)
{
	char *detail;

	if (outcome->stage != STAGE_GREETING || outcome->code != 0)
		return;
	detail = strstr(outcome->text, ": ");
	detail = detail == NULL ? NULL : strstr(detail + 1, ": ");
	if (detail != NULL)
		*detail = '\0';
}

/* What may be done without has failed, and there is no time left. */
static void
end_late(const struct wire_again *again, struct outcome *outcomes, guint count)
{
	gboolean tls = again->stage == STAGE_TLS;
	g_autofree char *what =
	    g_strdup_printf("%s: %s", stage_name(again->stage), again->why);
	struct outcome outcome = {0};

	outcome_set(&outcome, OUTCOME_NEXT, TROUBLE_MESSAGE, again->stage,
	    tls ? "4.7.5" : "4.7.8", what);
	set_all(outcomes, count, &outcome);
	outcome_clear(&outcome);
}

/* To leave TLS out, while its handshake takes a time-out of every message. */
static void
look_back(const struct connection *connection, struct security *security)
{
	if (security->tls.level != TLS_MAY ||
	    !hoststate_tls_hangs(connection->attempt->state))
		return;
	connection_log_tls_passed_over(connection);
	security->tls.level = TLS_NONE;
}

/*
 * Once with all that there is; and where TLS or CRAM-MD5 fails and need not
 * be, without that, each once.
 */
static void
run_connections(struct connection *connection, struct security *security,
    struct message *message, struct outcome *outcomes, struct visit *visit)
{
	guint auth_without = 0;

	look_back(connection, security);
	for (;;) {
		struct wire_again again = {0};
		g_autofree char *why = NULL;

		run_connection(connection, security, message, auth_without,
		    outcomes, visit, &again);
		why = again.why;
		if (why == NULL)
			return;
		visit->tls_hung |= again.late;
		if (deadline_left(connection->attempt->begin_by) == 0) {
			end_late(&again, outcomes, visit->count);
			return;
		}
		connection_log_again(connection, &again);
		if (again.stage == STAGE_TLS)
			security->tls.level = TLS_NONE;
		else
			auth_without |= MECHANISM_CRAM_MD5;
		connection_describe(connection, connection->attempt,
		    connection->candidate);
	}
}

/*
 * The message as the host takes it: *ret_folded, which is to be freed, or the
 * attempt's own.  FALSE: it cannot be had, and *failure says why.
 */
static gboolean
fit_message(const struct attempt *attempt, const struct candidate *candidate,
    struct message **ret_folded, struct outcome *failure)
{
	guint limit = candidate->settings.line_limit;
	g_autoptr(GError) error = NULL;

	if (limit == 0 || limit == NO_LIMIT ||
	    !fold_is_needed(attempt->message, limit))
		return TRUE;
	*ret_folded = fold_message(attempt->message, limit,
	    attempt->settings->spool_directory, &error);
	if (*ret_folded == NULL)
		outcome_set(failure, OUTCOME_NEXT, TROUBLE_MESSAGE,
		    STAGE_CONTENT, "4.3.0", error->message);
	return *ret_folded != NULL;
}

void
attempt_run(const struct attempt *attempt, const struct candidate *candidate,
    struct outcome *outcomes)
{
	struct visit visit = {
	    .address = candidate->address,
	    .outcomes = outcomes,
	    .count = attempt->envelope->recipients->len,
	    .inquiry = attempt->inquiry,
	    .connect = -1,
	};
	gint64 begun = g_get_monotonic_time();
	struct security security = {0};
	struct connection connection = {0};
	struct outcome failure = {0};
	g_autoptr(Message) folded = NULL;

	connection_describe(&connection, attempt, candidate);
	if (fit_message(attempt, candidate, &folded, &failure) &&
	    security_prepare(&security, attempt->settings, candidate,
		attempt->resolver, opening_deadline(attempt), &failure))
		run_connections(&connection, &security,
		    folded != NULL ? folded : attempt->message, outcomes,
		    &visit);
	else
		set_all(outcomes, visit.count, &failure);
	visit.total = g_get_monotonic_time() - begun;
	connection_log_outcomes(&connection, outcomes, visit.count);
	for (guint i = 0; attempt->allowance->limited && i < visit.count; i++)
		hush(&outcomes[i]);
	hoststate_note(attempt->state, &visit);
	security_clear(&security);
	outcome_clear(&failure);
}
