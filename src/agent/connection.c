/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines are the ESA's, so that searches for them find what they found
 * there; the queue id that begins each line stands for the ESA's MID.
 */

#include <config.h>

#include <sys/socket.h>

#include "agent/connection.h"
#include "util/maillog.h"

static const char *
envelope_domain(const struct envelope *envelope)
{
	const struct mailbox *first =
	    g_ptr_array_index(envelope->recipients, 0);

	return first->domain;
}

void
connection_log_unresolved(const struct attempt *attempt,
    const struct candidate *candidate, const char *why)
{
	maillog_info("Connection Error: DCID 0 domain: %s IP: - port: %u "
		     "details: %s: %s interface: - reason: DNS error",
	    envelope_domain(attempt->envelope), candidate->destination->port,
	    candidate->host, why);
}

void
connection_describe(struct connection *connection,
    const struct attempt *attempt, const struct candidate *candidate)
{
	connection->attempt = attempt;
	connection->candidate = candidate;
	connection->domain = envelope_domain(attempt->envelope);
	connection->dcid = hoststate_dcid(attempt->state);
	g_strlcpy(connection->interface,
	    candidate->settings.bind != NULL ? candidate->settings.bind : "-",
	    sizeof(connection->interface));
}

void
connection_log_new(struct connection *connection, int fd)
{
	struct endpoint local = {.length = sizeof(local.sa)};

	if (getsockname(fd, &local.sa.any, &local.length) == 0)
		endpoint_text(&local, connection->interface);
	maillog_info("New SMTP DCID %" G_GUINT64_FORMAT
		     " interface %s address %s port %u",
	    connection->dcid, connection->interface,
	    connection->candidate->address,
	    endpoint_port(&connection->candidate->endpoint));
}

void
connection_log_secured(const char *description, void *data)
{
	const struct connection *connection = data;

	maillog_info("DCID %" G_GUINT64_FORMAT " TLS success %s",
	    connection->dcid, description);
}

void
connection_log_unsecured(const char *why, void *data)
{
	const struct connection *connection = data;

	maillog_info("DCID %" G_GUINT64_FORMAT
		     " TLS failed: %s; going on in clear text",
	    connection->dcid, why);
}

/* A host may say what it was told. */
void
connection_log_said(gboolean ours, const char *line, void *data)
{
	const struct connection *connection = data;
	g_autofree char *text = g_strdup(line);

	credentials_mask(connection->credentials, text);
	maillog_info("DCID %" G_GUINT64_FORMAT " %s %s", connection->dcid,
	    ours ? ">>>" : "<<<", text);
}

void
connection_log_authenticated(const char *mechanism, void *data)
{
	const struct connection *connection = data;

	maillog_info("DCID %" G_GUINT64_FORMAT
		     " AUTH success profile %s mechanism %s",
	    connection->dcid, connection->candidate->settings.auth, mechanism);
}

void
connection_log_unnoticed(void *data)
{
	const struct connection *connection = data;

	maillog_info("DCID %" G_GUINT64_FORMAT
		     " DSN not offered: no notice of success",
	    connection->dcid);
}

void
connection_log_again(struct connection *connection,
    const struct wire_again *again)
{
	if (again->stage == STAGE_TLS)
		connection_log_unsecured(again->why, connection);
	else
		maillog_info("DCID %" G_GUINT64_FORMAT
			     " AUTH failed: %s; trying the next mechanism",
		    connection->dcid, again->why);
}

void
connection_log_tls_passed_over(const struct connection *connection)
{
	maillog_info("DCID %" G_GUINT64_FORMAT
		     " TLS not tried: a handshake timed out lately; "
		     "going on in clear text",
	    connection->dcid);
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
	    connection->dcid, connection->domain,
	    connection->candidate->address,
	    endpoint_port(&connection->candidate->endpoint), outcome->text,
	    connection->interface, reason);
}

static void
log_recipient(const struct connection *connection, guint rid,
    const struct outcome *outcome, const char *verb)
{
	if (outcome->kind == OUTCOME_DELIVERED)
		maillog_info("%s: DCID %" G_GUINT64_FORMAT
			     " to RID [%u] Response %s",
		    connection->attempt->inquiry ? "Verified" : "Delivered",
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

/*
 * Where all share a verdict they defer, unless all bounce; of who is only asked
 * for nothing does.
 */
static const char *
verb_for(const struct attempt *attempt, const struct outcome *outcomes,
    guint count, guint i)
{
	if (attempt->inquiry)
		return "Not verified";
	for (guint j = 0; j < count; j++)
		if (outcomes[j].kind != OUTCOME_BOUNCE &&
		    (j == i || !attempt->partial))
			return "Delayed";
	return "Bounced";
}

void
connection_log_outcomes(const struct connection *connection,
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
