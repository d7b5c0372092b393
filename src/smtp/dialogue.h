/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dialogue with a host about one transaction: commands out, replies in,
 * each stage with its deadline, and what goes wrong becomes the outcome of
 * all recipients that have none yet.
 */
#ifndef SMTPROUTE_DIALOGUE_H
#define SMTPROUTE_DIALOGUE_H

#include <glib.h>

#include "conf/settings.h"
#include "smtp/outcome.h"
#include "smtp/peer.h"
#include "smtp/transaction.h"

struct dialogue {
	struct peer *peer;
	struct transaction *transaction;
	const struct timeouts *timeouts;
	gint64 deadline;   /* of the whole delivery */
	gboolean over;     /* nothing more of this session */
	gboolean each;     /* LMTP: each recipient has a final reply */
	guint refusals;    /* for good: replies of 5xx so far */
	gint64 content_by; /* when DATA must have been answered; 0: no limit */
};

/* For the rest of a reply that nobody asked for. */
#define DIALOGUE_OUT_OF_TURN_SPAN G_USEC_PER_SEC

/* How long a wait at this stage may be, in microseconds. */
gint64
dialogue_span(const struct dialogue *dialogue, enum stage stage);

gint64
dialogue_deadline(const struct dialogue *dialogue, enum stage stage);

/* A refusal, or the final success; 421 ends the session. */
void
dialogue_settle(struct dialogue *dialogue, enum stage stage,
    const struct reply *reply);

/* The host's trouble, and the end of the session. */
void
dialogue_fail(struct dialogue *dialogue, enum stage stage, const char *what);

/* What has gone wrong at this stage, PEER_ERROR_TIMEOUT put into words. */
char *
dialogue_what(const struct dialogue *dialogue, enum stage stage,
    const GError *error);

/* dialogue_fail() with that. */
void
dialogue_fail_error(struct dialogue *dialogue, enum stage stage,
    const GError *error);

/* Trouble on our side, not the host's, and the end of the session. */
void
dialogue_fail_here(struct dialogue *dialogue, enum stage stage,
    const char *what);

/* Any other trouble, by outcome_set(), and the end of the session. */
void
dialogue_fail_as(struct dialogue *dialogue, enum trouble trouble,
    enum stage stage, const char *dsn, const char *what);

/*
 * Has the host spoken although no command waits for a reply?  Then the
 * session is over: 421 may come at any time; after anything else nobody knows
 * which reply belongs to which command.
 */
gboolean
dialogue_out_of_turn(struct dialogue *dialogue, enum stage stage);

/* Sends a command with its CRLF.  FALSE: the session is over. */
gboolean
dialogue_send(struct dialogue *dialogue, enum stage stage, const char *command);

/* The next reply; NULL: the session is over. */
struct reply *
dialogue_reply(struct dialogue *dialogue, enum stage stage);

/* Ends the session, if it is not over, with a QUIT; waits for nothing. */
void
dialogue_quit(struct dialogue *dialogue);

/* Asks, unless the host has spoken out of turn.  NULL: the session is over. */
struct reply *
dialogue_ask(struct dialogue *dialogue, enum stage stage, const char *command);

#endif
