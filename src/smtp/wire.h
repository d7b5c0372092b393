/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wire between libESMTP, which drives the dialogue (session.h), and a
 * host (peer.h).
 *
 * - Commands go out when libESMTP writes them, line by line; MAIL and RCPT with
 *   the parameters that this host takes (terms.h).
 * - Replies are framed, bounded and checked: one for each command, no others.
 *   Outcomes are made here, from what the host said; libESMTP gets a plain
 *   line that leads it to its next command.
 * - EHLO's keywords are passed on only where this program uses them.
 * - The content goes out from struct message, verbatim; what libESMTP makes
 *   of it (it rewrites headers) goes nowhere.
 * - TLS is begun before libESMTP sees the greeting (opening.h).
 * - With credentials no MAIL passes without a successful AUTH.
 * - DATA is held back until every RCPT has its reply, and never sent unless
 *   all were accepted, or with job->partial any.  With that or one recipient,
 *   and where the host pipelines, the whole envelope goes out as one
 *   (volley.h): libESMTP leads to it, and over a kept connection is not asked.
 */
#ifndef SMTPROUTE_WIRE_H
#define SMTPROUTE_WIRE_H

#include <glib.h>

#include "address/mailbox.h"
#include "conf/credentials.h"
#include "conf/settings.h"
#include "smtp/message.h"
#include "smtp/outcome.h"
#include "tls/tlspolicy.h"

/* What the caller may want to log as it happens; @data is the job's. */
struct wire_events {
	void (*greeted)(void *data); /* by 220, and no more is known yet */
	void (*secured)(const char *description, void *data); /* TLS is on */
	void (*unsecured)(const char *why, void *data);       /* not, though it
							       * is offered */
	void (*authenticated)(const char *mechanism, void *data);
	void (*said)(gboolean ours, const char *line, void *data);
	/* MAIL is about to be said; FALSE: not now, by the host's rate */
	gboolean (*begin)(void *data);
	void (*unnoticed)(void *data); /* see terms_lack_notices() */
	void (*accepted)(void *data);  /* the host has accepted MAIL */
};

struct wire_job {
	const char *helo_name;
	const struct mailbox *sender;
	const GPtrArray *recipients; /* of struct mailbox */
	gboolean partial;  /* those accepted have it, whatever of the others */
	gboolean inquiry;  /* nobody is to have it: what RCPT says is wanted */
	gboolean keep;     /* another message may follow */
	gboolean lmtp;     /* the host speaks LMTP (RFC 2033) */
	gboolean smtputf8; /* the host has to offer it */
	struct message *message;
	const struct timeouts *timeouts;
	gint64 deadline;   /* of the whole delivery */
	gint64 content_by; /* when DATA must have been answered; 0: no limit */
	const struct tls_policy *tls;
	const struct credentials *credentials; /* NULL: none */
	gboolean auth_in_clear;                /* credentials without TLS */
	guint auth_without;                    /* mechanisms not to use */
	const char *ehlo_ignore;               /* see offer_parse() */
	const char *next_host_on;              /* see transaction.h */
	gboolean transcript; /* events->said is told of all lines */
	const struct wire_events *events;
	void *data;
};

/* A session with a host, for one message or several. */
struct wire;

/* @host: a non-blocking socket that is connected, the wire's from now on. */
struct wire *
wire_new(int host);

/*
 * What has failed and can be done without, on a new connection with the same
 * address: TLS (STAGE_TLS), or CRAM-MD5 (STAGE_AUTH).
 */
struct wire_again {
	char *why; /* NULL: nothing is to be tried again */
	enum stage stage;
	gboolean late; /* it was for want of an answer */
};

/*
 * Sends one message to all recipients or to none, or with job->partial to
 * those that are accepted.  @outcomes: one for each recipient, in their order,
 * zero or with what an earlier attempt left; all are set when this returns.
 * What @job has the wire does not need any more then.
 *
 * *ret_again: all zero; or what may be tried again, which is not to be done
 * where the policy insists on TLS, and never a second time: then no outcome is
 * set, and the string is the caller's.
 *
 * Without job->keep, and unless all went as it should, the session is over
 * then.
 */
void
wire_send(struct wire *wire, const struct wire_job *job,
    struct outcome *outcomes, struct wire_again *ret_again);

/* How many messages it was given. */
guint
wire_sent(const struct wire *wire);

/*
 * May it be given another message?  Not if the host has closed or said
 * something meanwhile.
 */
gboolean
wire_is_idle(const struct wire *wire);

/* Says QUIT to a host that is still there, and waits for nothing. */
void
wire_free(struct wire *wire);

typedef struct wire Wire;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Wire, wire_free)

#endif
