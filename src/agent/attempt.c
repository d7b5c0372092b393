/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines are the ESA's, so that searches for them find what they found
 * there; the queue id that begins each line stands for the ESA's MID.
 */

#include <config.h>

#include <string.h>
#include <sys/socket.h>

#include "address/domain.h"
#include "agent/attempt.h"
#include "agent/security.h"
#include "smtp/dial.h"
#include "smtp/fold.h"
#include "smtp/offer.h"
#include "smtp/wire.h"
#include "util/autofd.h"
#include "util/deadline.h"
#include "util/maillog.h"

/* What the lines of one connection have in common. */
struct connection {
	const struct attempt *attempt;
	const struct candidate *candidate;
	const struct credentials *credentials; /* NULL: none */
	const char *domain;
	guint64 dcid;
	char interface[ENDPOINT_TEXT_SIZE];
	char address[ENDPOINT_TEXT_SIZE];
	guint16 port;
};

char *
attempt_peer(const struct candidate *candidate)
{
	char address[ENDPOINT_TEXT_SIZE];

	endpoint_text(&candidate->endpoint, address);
	return g_strdup_printf("%s[%s]:%u", candidate->host, address,
	    endpoint_port(&candidate->endpoint));
}

static const char *
envelope_domain(const struct envelope *envelope)
{
	const struct mailbox *first =
	    g_ptr_array_index(envelope->recipients, 0);

	return first->domain;
}

void
attempt_log_bounced(const GArray *rids, const char *dsn, const char *why)
{
	for (guint i = 0; i < rids->len; i++)
		maillog_info("Bounced: DCID 0 to RID [%u] - %s - %s",
		    g_array_index(rids, guint, i), dsn, why);
}

void
attempt_log_unresolved(const struct attempt *attempt,
    const struct candidate *candidate, const char *why)
{
	maillog_info("Connection Error: DCID 0 domain: %s IP: - port: %u "
		     "details: %s: %s interface: - reason: DNS error",
	    envelope_domain(attempt->envelope), candidate->destination->port,
	    candidate->host, why);
}

static void
log_connection_error(const struct connection *connection,
    const struct outcome *outcome)
{
	const char *reason = "network error";

	if (allowance_is_quiet(connection->attempt->allowance))
		return;
	if (outcome->code != 0)
		reason = "unexpected SMTP response";
	else if (g_str_equal(outcome->dsn, "4.4.2"))
		reason = "network error";
	else if (outcome->stage == STAGE_STARTTLS ||
	    outcome->stage == STAGE_TLS)
		reason = "TLS failed";
	else if (outcome->stage == STAGE_AUTH)
		reason = "AUTH failed";
	maillog_info("Connection Error: DCID %" G_GUINT64_FORMAT
		     " domain: %s IP: %s port: %u details: %s interface: %s "
		     "reason: %s",
	    connection->dcid, connection->domain, connection->address,
	    connection->port, outcome->text, connection->interface, reason);
}

static void
log_recipient(const struct connection *connection, guint rid,
    const struct outcome *outcome, const char *verb)
{
	if (outcome->kind == OUTCOME_DELIVERED)
		maillog_info("Delivered: DCID %" G_GUINT64_FORMAT
			     " to RID [%u] Response %s",
		    connection->dcid, rid,
		    outcome->reply[0] != '\0' ? outcome->reply : outcome->text);
	else if (outcome->code != 0)
		maillog_info("%s: DCID %" G_GUINT64_FORMAT
			     " to RID [%u] - %s - in reply to %s "
			     "('%d', ['%s'])",
		    verb, connection->dcid, rid, outcome->dsn,
		    stage_name(outcome->stage), outcome->code, outcome->reply);
	else
		maillog_info("%s: DCID %" G_GUINT64_FORMAT
			     " to RID [%u] - %s - %s",
		    verb, connection->dcid, rid, outcome->dsn, outcome->text);
}

/* Does it concern the connection rather than its transaction? */
static gboolean
is_connection_error(const struct outcome *outcome)
{
	return stage_is_opening(outcome->stage) ||
	    (outcome->trouble == TROUBLE_HOST && outcome->code == 0);
}

/* Where all share a verdict they defer, unless all bounce. */
static const char *
verb_for(const struct attempt *attempt, const struct outcome *outcomes,
    guint count, guint i)
{
	for (guint j = 0; j < count; j++)
		if (outcomes[j].kind != OUTCOME_BOUNCE &&
		    (j == i || !attempt->partial))
			return "Delayed";
	return "Bounced";
}

static void
log_outcomes(const struct connection *connection,
    const struct outcome *outcomes, guint count)
{
	const struct attempt *attempt = connection->attempt;

	for (guint i = 0; i < count; i++) {
		gboolean error = is_connection_error(&outcomes[i]);

		if (error && (i == 0 || !is_connection_error(&outcomes[i - 1])))
			log_connection_error(connection, &outcomes[i]);
		if (!error || outcomes[i].kind == OUTCOME_UNSURE)
			log_recipient(connection,
			    g_array_index(attempt->rids, guint, i),
			    &outcomes[i],
			    verb_for(attempt, outcomes, count, i));
	}
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
	return MIN(attempt->deadline, allowance_until(attempt->allowance));
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

/* What is known before there is a connection. */
static void
describe(struct connection *connection, const struct attempt *attempt,
    const struct candidate *candidate)
{
	connection->attempt = attempt;
	connection->candidate = candidate;
	connection->domain = envelope_domain(attempt->envelope);
	connection->dcid = hoststate_dcid(attempt->state);
	connection->port = endpoint_port(&candidate->endpoint);
	endpoint_text(&candidate->endpoint, connection->address);
	g_strlcpy(connection->interface,
	    candidate->settings.bind != NULL ? candidate->settings.bind : "-",
	    sizeof(connection->interface));
}

static void
log_new_connection(struct connection *connection, int fd)
{
	struct endpoint local = {.length = sizeof(local.sa)};

	if (getsockname(fd, &local.sa.any, &local.length) == 0)
		endpoint_text(&local, connection->interface);
	maillog_info("New SMTP DCID %" G_GUINT64_FORMAT
		     " interface %s address %s port %u",
	    connection->dcid, connection->interface, connection->address,
	    connection->port);
}

void
attempt_log_departure(const struct destination *destination,
    const struct departure *departure)
{
	g_autofree char *name =
	    domain_with_port(destination->name, destination->port);
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

/* MAIL was accepted: nothing that may follow concerns the host's health. */
static void
note_accepted(void *data)
{
	const struct connection *connection = data;
	struct departure departure = {0};

	hoststate_answered(connection->attempt->state, &departure);
	attempt_log_departure(connection->candidate->destination, &departure);
}

static void
log_secured(const char *description, void *data)
{
	const struct connection *connection = data;

	maillog_info("DCID %" G_GUINT64_FORMAT " TLS success %s",
	    connection->dcid, description);
}

static void
log_unsecured(const char *why, void *data)
{
	const struct connection *connection = data;

	maillog_info("DCID %" G_GUINT64_FORMAT
		     " TLS failed: %s; going on in clear text",
	    connection->dcid, why);
}

/* A host may say what it was told. */
static void
log_said(gboolean ours, const char *line, void *data)
{
	const struct connection *connection = data;
	g_autofree char *text = g_strdup(line);

	credentials_mask(connection->credentials, text);
	maillog_info("DCID %" G_GUINT64_FORMAT " %s %s", connection->dcid,
	    ours ? ">>>" : "<<<", text);
}

static void
log_authenticated(const char *mechanism, void *data)
{
	const struct connection *connection = data;

	maillog_info("DCID %" G_GUINT64_FORMAT
		     " AUTH success profile %s mechanism %s",
	    connection->dcid, connection->candidate->settings.auth, mechanism);
}

static const struct wire_events events = {
    .greeted = note_greeted,
    .secured = log_secured,
    .unsecured = log_unsecured,
    .authenticated = log_authenticated,
    .said = log_said,
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
	    .keep = attempt->keeper != NULL &&
		settings->max_connections == NO_LIMIT,
	    .message = message,
	    .timeouts = &settings->timeouts,
	    .deadline = attempt->deadline,
	    .content_by = allowance_until(attempt->allowance),
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

/* For the next message, or it is closed. */
static void
put_away(const struct connection *connection, struct wire *wire, char *id)
{
	const struct attempt *attempt = connection->attempt;
	struct kept *kept = g_new0(struct kept, 1);

	kept->wire = wire;
	kept->id = id;
	kept->dcid = connection->dcid;
	g_strlcpy(kept->interface, connection->interface,
	    sizeof(kept->interface));
	if (attempt->keeper != NULL)
		keeper_put(attempt->keeper, kept,
		    connection->candidate->settings.max_messages);
	else
		kept_free(kept);
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

/* TRUE: over a connection that was kept, and all outcomes are set. */
static gboolean
run_kept(struct connection *connection, const struct wire_job *job,
    const char *id, struct outcome *outcomes, struct visit *visit)
{
	const struct attempt *attempt = connection->attempt;
	struct connection fresh = *connection;
	struct wire_again again;
	struct kept *kept = NULL;

	if (attempt->keeper != NULL)
		kept = keeper_take(attempt->keeper, id);
	if (kept == NULL)
		return FALSE;
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
		return FALSE;
	}
	keeper_put(attempt->keeper, kept,
	    connection->candidate->settings.max_messages);
	return TRUE;
}

/* Over a connection of its own; *again: as of wire_send(). */
static void
run_new(struct connection *connection, const struct wire_job *job, char *id,
    struct outcome *outcomes, struct visit *visit, struct wire_again *again)
{
	gint64 begun = g_get_monotonic_time();
	struct outcome failure = {0};
	struct wire *wire;
	int fd;

	fd = connect_candidate(connection->candidate,
	    opening_deadline(connection->attempt), &failure, &visit->refused);
	if (fd < 0) {
		set_all(outcomes, visit->count, &failure);
		outcome_clear(&failure);
		g_free(id);
		return;
	}
	visit->connect = g_get_monotonic_time() - begun;
	log_new_connection(connection, fd);
	wire = wire_new(fd);
	wire_send(wire, job, outcomes, again);
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
	g_autofree char *id = keeper_id(connection->candidate, job.helo_name,
	    security->credentials);

	connection->credentials = security->credentials;
	if (!run_kept(connection, &job, id, outcomes, visit))
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

static void
log_again(const struct wire_again *again, struct connection *connection)
{
	if (again->stage == STAGE_TLS)
		log_unsecured(again->why, connection);
	else
		maillog_info("DCID %" G_GUINT64_FORMAT
			     " AUTH failed: %s; trying the next mechanism",
		    connection->dcid, again->why);
}

/* To leave TLS out, while its handshake takes a time-out of every message. */
static void
look_back(const struct connection *connection, struct security *security)
{
	if (security->tls.level != TLS_MAY ||
	    !hoststate_tls_hangs(connection->attempt->state))
		return;
	maillog_info("DCID %" G_GUINT64_FORMAT
		     " TLS not tried: a handshake timed out lately; "
		     "going on in clear text",
	    connection->dcid);
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
		log_again(&again, connection);
		if (again.stage == STAGE_TLS)
			security->tls.level = TLS_NONE;
		else
			auth_without |= MECHANISM_CRAM_MD5;
		describe(connection, connection->attempt,
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
	    .endpoint = &candidate->endpoint,
	    .outcomes = outcomes,
	    .count = attempt->envelope->recipients->len,
	    .connect = -1,
	};
	gint64 begun = g_get_monotonic_time();
	struct security security = {0};
	struct connection connection = {0};
	struct outcome failure = {0};
	g_autoptr(Message) folded = NULL;

	describe(&connection, attempt, candidate);
	if (fit_message(attempt, candidate, &folded, &failure) &&
	    security_prepare(&security, attempt->settings, candidate,
		attempt->resolver, opening_deadline(attempt), &failure))
		run_connections(&connection, &security,
		    folded != NULL ? folded : attempt->message, outcomes,
		    &visit);
	else
		set_all(outcomes, visit.count, &failure);
	visit.total = g_get_monotonic_time() - begun;
	log_outcomes(&connection, outcomes, visit.count);
	for (guint i = 0; attempt->allowance != NULL &&
	     attempt->allowance->limited && i < visit.count;
	     i++)
		hush(&outcomes[i]);
	hoststate_note(attempt->state, &visit);
	security_clear(&security);
	outcome_clear(&failure);
}
