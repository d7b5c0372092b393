/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One attempt of a delivery, at one address: connection, session, and their
 * lines in the maillog.
 */
#ifndef SMTPROUTE_ATTEMPT_H
#define SMTPROUTE_ATTEMPT_H

#include <glib.h>

#include "address/envelope.h"
#include "agent/allowance.h"
#include "agent/keeper.h"
#include "agent/plan.h"
#include "conf/settings.h"
#include "smtp/message.h"
#include "smtp/outcome.h"

struct attempt {
	const struct settings *settings;
	const struct envelope *envelope;
	const GArray *rids; /* of guint, the recipients' numbers for the log */
	gboolean partial;   /* some of them may have it without the others */
	gboolean inquiry;   /* they are asked for, and @message is empty */
	struct message *message;
	struct keeper *keeper; /* NULL: no connection is kept */
	struct hoststate *state;
	struct resolver *resolver;
	const char *helo_name;
	gint64 deadline; /* of the whole delivery */
	gint64 begin_by; /* no connection is begun later */
	const struct allowance *allowance;
};

/* "host[address]:port", as verdicts name a peer.  A new string. */
char *
attempt_peer(const struct candidate *candidate);

/*
 * @outcomes: one for each recipient of the envelope, zero or holding what an
 * earlier attempt left; all are set when this returns, and the host's state
 * has noted them.
 */
void
attempt_run(const struct attempt *attempt, const struct candidate *candidate,
    struct outcome *outcomes);

/* Logs that the host went down or came up, if it did. */
void
attempt_log_departure(const struct destination *destination,
    const struct departure *departure);

/*
 * Logs that the recipients with these numbers (of guint) bounce without any
 * host having been asked.
 */
void
attempt_log_bounced(const GArray *rids, const char *dsn, const char *why);

#endif
