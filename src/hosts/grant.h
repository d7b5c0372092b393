/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A grant: what a delivery may take of the rate of the host that it has chosen.
 */
#ifndef SMTPROUTE_GRANT_H
#define SMTPROUTE_GRANT_H

#include <glib.h>

#include "hosts/contender.h"
#include "hosts/tally.h"

/* How far the transaction has come that there is a claim for. */
enum grant_claim {
	CLAIM_NONE,     /* zero: there is none */
	CLAIM_PLACE,    /* and MAIL was not said */
	CLAIM_BEGUN,    /* it may have been */
	CLAIM_ANSWERED, /* and the host has seen it by now */
};

struct grant {
	guint recipients; /* of the message; some may have it */
	gboolean partial; /* without the others? */
	/* Of the chosen host, all zero: it has none. */
	gboolean rated; /* it has a tally */
	struct rates rates[TALLY_UNITS];
	enum grant_claim claim;
	gboolean fresh;  /* nothing has been made of it yet */
	gboolean opened; /* what a connection takes is known */
	gboolean missed; /* there was no room when MAIL was to be said */
	guint granted;   /* recipients that it is for */
	gint64 answered; /* health_now() */
};

struct hoststate;

/* For what the message takes of the host that was chosen. */
void
grant_begin(struct hoststate *state, struct statefile_view *view,
    const struct contender *contender);

/* The attempt is over: the host has seen what it is to see of it. */
void
grant_note(struct hoststate *state);

/* What was answered is counted, so that the host is free for others sooner. */
void
grant_settle(struct hoststate *state, struct statefile_view *view);

/* What others may have of the host. */
struct grant_rest {
	guint room;  /* so many messages, now; G_MAXUINT: any number */
	gint64 wait; /* until there is room for another one, microseconds */
};

/* Leaves the host. */
void
grant_end(struct hoststate *state, struct statefile_view *view,
    struct grant_rest *ret);

#endif
