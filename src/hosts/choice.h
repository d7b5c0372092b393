/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hoststate.c and prospect.c have in common: the inside of a struct
 * hoststate, and the making of choices.
 */
#ifndef SMTPROUTE_CHOICE_H
#define SMTPROUTE_CHOICE_H

#include <glib.h>

#include "hosts/grant.h"
#include "hosts/holdings.h"
#include "hosts/hoststate.h"
#include "hosts/statefile.h"
#include "hosts/waiting.h"

struct hoststate {
	struct statefile *file;
	struct health_limits limits;
	gboolean lost; /* no more of it for this message */
	char *warning; /* for the log */
	char *warned;  /* of the loss that goes on; NULL: of none */
	guint64 ticket;
	guint64 sender;
	struct grant grant;
	struct waiting waiting;
	struct holdings holdings;
	gboolean deferred; /* are there messages that wait for hosts? */
	GPtrArray *calls;  /* NULL: none */
	guint64 dcid;      /* reserved by the last choice, 0: none */
	/* The chosen host: */
	char *key; /* NULL: none is */
	char *name;
	guint16 port;
	guint limit;  /* contender_limit() */
	guint kept;   /* connections with it, see hoststate_keep() */
	gint64 since; /* its slot is this process's, health_now() */
	gboolean stranger;
	char *slots_key;    /* NULL: no slot of it is occupied */
	gboolean slot_held; /* it still is, by holdings_resume() */
	gboolean probing;
	gboolean greeted; /* is the ticket marked? */
	struct bad_address bad[HOSTRECORD_ADDRESSES];
	gint64 tls_hung;
	struct stay stay;
};

/* What a choice is made of. */
struct choice {
	struct hoststate *state;
	struct contender *contenders;
	guint count;
	guint chosen; /* @count: none */
	struct chooser chooser;
};

/* @contenders as for hoststate_choose(). */
struct choice
choice_new(struct hoststate *state, struct contender *contenders, guint count);

/* Sets the standing of a contender, but for those that are settled. */
void
choice_update(const struct choice *choice, struct statefile_view *view,
    struct contender *contender);

/* This process' ticket from now on, if there is one to be had. */
void
choice_take_ticket(struct hoststate *state);

/* FALSE: there is no memory, and will be none for this message. */
gboolean
hoststate_use(struct hoststate *state,
    void (*work)(struct statefile_view *view, void *data), void *data);

/* The chosen host has answered: do messages wait for it? */
void
prospect_call(struct hoststate *state, struct statefile_view *view,
    const struct grant_rest *rest);

/* Do messages wait for a host that is due (due.h)? */
void
prospect_call_due(struct hoststate *state, struct statefile_view *view);

#endif
