/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines are the ESA's, so that searches for them find what they found
 * there; the queue id that begins each line stands for the ESA's MID.
 */

#include <config.h>

#include <sys/socket.h>

#include "attempt.h"
#include "autofd.h"
#include "dcid.h"
#include "deadline.h"
#include "dial.h"
#include "maillog.h"
#include "wire.h"

/* What the lines of one connection have in common. */
struct connection {
	const struct candidate *candidate;
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
attempt_log_bounced(const struct attempt *attempt, const char *dsn,
    const char *why)
{
	for (guint i = 0; i < attempt->envelope->recipients->len; i++)
		maillog_info("Bounced: DCID 0 to RID [%u] - %s - %s", i, dsn,
		    why);
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
	maillog_info("Connection Error: DCID %" G_GUINT64_FORMAT
		     " domain: %s IP: %s port: %u details: %s interface: %s "
		     "reason: %s",
	    connection->dcid, connection->domain, connection->address,
	    connection->port, outcome->text, connection->interface,
	    outcome->code != 0 ? "unexpected SMTP response" : "network error");
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
	return outcome->trouble == TROUBLE_HOST &&
	    (outcome->stage <= STAGE_HELO || outcome->code == 0);
}

static void
log_outcomes(const struct connection *connection,
    const struct outcome *outcomes, guint count)
{
	const char *verb = "Bounced";

	/* Unless all bounce, the call as a whole defers. */
	for (guint i = 0; i < count; i++)
		if (outcomes[i].kind != OUTCOME_BOUNCE)
			verb = "Delayed";
	for (guint i = 0; i < count; i++) {
		gboolean error = is_connection_error(&outcomes[i]);

		if (error && (i == 0 || !is_connection_error(&outcomes[i - 1])))
			log_connection_error(connection, &outcomes[i]);
		if (!error || outcomes[i].kind == OUTCOME_UNSURE)
			log_recipient(connection, i, &outcomes[i], verb);
	}
}

static void
set_all(struct outcome *outcomes, guint count, const struct outcome *outcome)
{
	for (guint i = 0; i < count; i++)
		outcome_copy(&outcomes[i], outcome);
}

/*
 * What the settings ask for and this version has not.  Such a host is passed
 * over: mail must not go out in clear, or unauthenticated, instead.
 */
static gboolean
is_beyond_us(const struct candidate *candidate, struct outcome *outcome)
{
	const struct host_settings *settings = &candidate->settings;
	g_autofree char *what = NULL;

	if (settings->tls > TLS_MAY) {
		what = g_strdup_printf("TLS required (tls=%s), which this "
				       "version cannot do",
		    tls_level_name(settings->tls));
		outcome_set(outcome, OUTCOME_NEXT, TROUBLE_HOST, STAGE_CONNECT,
		    "4.7.4", what);
		return TRUE;
	}
	if (settings->auth != NULL) {
		what = g_strdup_printf("AUTH required (auth=%s), which this "
				       "version cannot do",
		    settings->auth);
		outcome_set(outcome, OUTCOME_NEXT, TROUBLE_HOST, STAGE_CONNECT,
		    "4.7.8", what);
		return TRUE;
	}
	return FALSE;
}

static int
connect_candidate(const struct candidate *candidate, gint64 total,
    struct outcome *outcome)
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
	return -1;
}

static guint64
next_dcid(const char *state_directory)
{
	static gboolean warned;
	g_autoptr(GError) error = NULL;
	guint64 dcid = dcid_next(state_directory, &error);

	if (error != NULL && !warned) {
		maillog_warning("state-directory: %s; delivering without it",
		    error->message);
		warned = TRUE;
	}
	return dcid;
}

/* What is known before there is a connection. */
static void
describe(struct connection *connection, const struct attempt *attempt,
    const struct candidate *candidate)
{
	connection->candidate = candidate;
	connection->domain = envelope_domain(attempt->envelope);
	connection->dcid = next_dcid(attempt->settings->state_directory);
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
attempt_run(const struct attempt *attempt, const struct candidate *candidate,
    struct outcome *outcomes)
{
	const struct envelope *envelope = attempt->envelope;
	guint count = envelope->recipients->len;
	struct wire_job job = {
	    .helo_name = attempt->helo_name,
	    .sender = envelope->sender,
	    .recipients = envelope->recipients,
	    .message = attempt->message,
	    .timeouts = &candidate->settings.timeouts,
	    .deadline = attempt->deadline,
	};
	struct connection connection;
	struct outcome failure = {0};
	autofd fd = -1;

	describe(&connection, attempt, candidate);
	if (!is_beyond_us(candidate, &failure))
		fd = connect_candidate(candidate, attempt->deadline, &failure);
	if (fd < 0) {
		set_all(outcomes, count, &failure);
	} else {
		log_new_connection(&connection, fd);
		wire_run(fd, &job, outcomes);
	}
	log_outcomes(&connection, outcomes, count);
	outcome_clear(&failure);
}
