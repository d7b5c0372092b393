/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection of an attempt, as the maillog tells of it.
 */
#ifndef SMTPROUTE_CONNECTION_H
#define SMTPROUTE_CONNECTION_H

#include <glib.h>

#include "address/endpoint.h"
#include "agent/attempt.h"
#include "agent/plan.h"
#include "conf/credentials.h"
#include "smtp/outcome.h"
#include "smtp/wire.h"

/* What the lines of one connection have in common. */
struct connection {
	const struct attempt *attempt;
	const struct candidate *candidate;
	const struct credentials *credentials; /* NULL: none */
	const char *domain;
	guint64 dcid;
	gboolean kept; /* since a message before */
	char interface[ENDPOINT_TEXT_SIZE];
};

/* What is known before there is a connection. */
void
connection_describe(struct connection *connection,
    const struct attempt *attempt, const struct candidate *candidate);

/* The connection is there: *connection has the address it is from as well. */
void
connection_log_new(struct connection *connection, int fd);

/*
 * The same as in struct wire_events; @data is the connection.  What the host
 * has said is logged without the credentials.
 */
void
connection_log_secured(const char *description, void *data);

void
connection_log_unsecured(const char *why, void *data);

void
connection_log_said(gboolean ours, const char *line, void *data);

void
connection_log_authenticated(const char *mechanism, void *data);

void
connection_log_unnoticed(void *data);

/* What has failed is left out, or done in another way, in a new connection. */
void
connection_log_again(struct connection *connection,
    const struct wire_again *again);

/* TLS is left out, since a handshake timed out lately. */
void
connection_log_tls_passed_over(const struct connection *connection);

/*
 * One line for each recipient, and one for what concerns the connection,
 * unless the attempt's allowance is quiet.
 */
void
connection_log_outcomes(const struct connection *connection,
    const struct outcome *outcomes, guint count);

/* No address of candidate->host can be tried: there is no connection. */
void
connection_log_unresolved(const struct attempt *attempt,
    const struct candidate *candidate, const char *why);

#endif
