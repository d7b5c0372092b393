/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all processes know together of hosts: whose turn it is, who is down
 * and who probes it, who is busy or drained, and counters.
 *
 * A host is known by its name and port as they are configured, whatever
 * addresses lie behind.  Without memory (statefile.h says when) hosts are
 * drawn at random by weight, and no host is ever down.
 */
#ifndef SMTPROUTE_HOSTSTATE_H
#define SMTPROUTE_HOSTSTATE_H

#include <glib.h>

#include "address/endpoint.h"
#include "hosts/contender.h"
#include "hosts/health.h"
#include "hosts/stay.h"

struct hoststate;

/*
 * Costs nothing until it is used.  @directory: NULL: without memory.
 *
 * Whatever uses the file may take seconds, once, if another process holds it
 * (statefile_run()).
 */
struct hoststate *
hoststate_new(const char *directory, const struct health_limits *limits);

/*
 * Begins with a message of this sender (suspicion.h).  In a process that has
 * several, memory that was lost for the one before may be back, and a file that
 * was replaced meanwhile is used from now on.
 */
void
hoststate_begin(struct hoststate *state, const char *sender);

/*
 * How many recipients the message is for, 1 unless it is said; @partial: some
 * of them may have it before the others.  To be said before every choice.
 */
void
hoststate_want(struct hoststate *state, guint recipients, gboolean partial);

/*
 * Chooses a host: of those that can be had the ones with the lowest priority
 * number, and of these the one whose turn it is.  It is occupied until
 * hoststate_leave().
 *
 * @contenders: by ascending priority.  The standing of all is set, but for
 * STANDING_TRIED and _DRAINED, which are kept and not chosen; that of the
 * chosen one becomes STANDING_TRIED.
 *
 * Returns the index, @count if there is none to be had.
 */
guint
hoststate_choose(struct hoststate *state, struct contender *contenders,
    guint count);

/* What becomes of a delivery that has nothing to choose from. */
enum prospect {
	PROSPECT_NONE, /* nothing comes in time, or too many wait already */
	PROSPECT_LATER,
	PROSPECT_NOW, /* hoststate_choose() may find something */
};

/*
 * What may come within @span microseconds: a slot of a host that is full, the
 * answer of a probe, the time of a host that is down.  After PROSPECT_LATER
 * this delivery counts as one that waits for these hosts, until another
 * answer; where all of them are down at most @waiting may.  With @first it has
 * waited for long: slots are for those, in their order, before others.
 *
 * It keeps its place until hoststate_choose(), which comes after PROSPECT_NOW.
 */
enum prospect
hoststate_look(struct hoststate *state, struct contender *contenders,
    guint count, gint64 span, guint waiting, gboolean first);

/*
 * The same for a delivery that is not begun, which waits for nobody and takes
 * nothing: who probes a host that is due is for hoststate_choose() to say.
 */
enum prospect
hoststate_glance(struct hoststate *state, struct contender *contenders,
    guint count, gint64 span, guint waiting);

/*
 * The delivery is about to be deferred on account of hosts.  FALSE: one of
 * them can be had by now.  TRUE: the message, if @queue_id is not NULL, is
 * remembered until it can.
 */
gboolean
hoststate_defer(struct hoststate *state, struct contender *contenders,
    guint count, const char *queue_id);

/* The message does not wait for hosts of this route, or no longer. */
void
hoststate_settle(struct hoststate *state, const struct contender *contenders,
    guint count, const char *queue_id);

/* A host that messages wait for can be had. */
struct call {
	char *name;
	guint16 port;
	guint count; /* so many may be tried */
};

/* Of as many messages as one host may have at once. */
struct call *
call_new(const char *name, guint16 port);

void
call_free(struct call *call);

/*
 * Those that this delivery found so, of struct call; the caller's.  NULL:
 * none.
 */
GPtrArray *
hoststate_take_calls(struct hoststate *state);

/*
 * Takes messages that wait for the host: @max at most, their queue ids appended
 * to @ids, new strings.  TRUE: there are others, but too young (deferred.h).
 */
gboolean
hoststate_take_deferred(struct hoststate *state, const struct call *call,
    guint max, GPtrArray *ids);

/*
 * Looks for hosts that are free again by their rate, and that messages wait
 * for: hoststate_take_calls() has them.  Leaves a state as it is if there are
 * none, or if it cannot be read.
 */
void
hoststate_look_due(struct hoststate *state);

/* Is trouble of this kind (one word) to be told, or was it within the day? */
gboolean
hoststate_is_news(struct hoststate *state, const char *kind);

/* The next delivery connection id of this machine, from 1; 0: unknown. */
guint64
hoststate_dcid(struct hoststate *state);

/* One that no connection came to have: for the next one, here. */
void
hoststate_return_dcid(struct hoststate *state, guint64 dcid);

/* Did this address of the chosen host fail a moment ago, not the host? */
gboolean
hoststate_is_bad(const struct hoststate *state,
    const struct endpoint *endpoint);

/*
 * How many recipients of @want the next transaction with the chosen host may
 * have, by its rate; 0: none.  To be asked before every transaction, and again
 * if MAIL was said more than once in one.
 */
guint
hoststate_grant(struct hoststate *state, guint want);

/*
 * MAIL is about to be said to the chosen host.  Returns how long until there is
 * room for it by its rate: 0: it may be; -1: never.  @opened: the connection
 * was opened after the choice, and others will take as long for that.
 */
gint64
hoststate_claim(struct hoststate *state, gboolean opened);

/* Was there none, the last time? */
gboolean
hoststate_is_missed(const struct hoststate *state);

/*
 * MAIL came to nothing, on a connection that was dead; the host may have seen
 * it.
 */
void
hoststate_missed(struct hoststate *state);

/*
 * The chosen host gets a new connection, whatever was kept with it: until it is
 * greeted it proves nothing.
 */
void
hoststate_connecting(struct hoststate *state);

/* The chosen host has sent a good greeting, to this connection with it. */
void
hoststate_greeted(struct hoststate *state);

/*
 * Did the chosen host leave a handshake without an answer, a moment ago?  TLS
 * that may be done without would cost every message that time.
 */
gboolean
hoststate_tls_hangs(const struct hoststate *state);

/*
 * The chosen host has accepted MAIL: if this was a probe the host is up, for
 * everybody, while the session goes on.
 */
void
hoststate_answered(struct hoststate *state, struct departure *departure);

/* Notes an attempt at the chosen host. */
void
hoststate_note(struct hoststate *state, const struct visit *visit);

/*
 * So many connections of this process with the chosen host stay when it is
 * left: a slot is held for each (holdings.h).  None, unless it is said.
 */
void
hoststate_keep(struct hoststate *state, guint kept);

/* Leaves the chosen host, if there is one; stay_apply() says what follows. */
void
hoststate_leave(struct hoststate *state, struct departure *departure);

/*
 * A line for the log about the state itself, once: that it was begun anew, or
 * that there is none.  A new string; NULL: nothing to say.
 */
char *
hoststate_take_warning(struct hoststate *state);

void
hoststate_free(struct hoststate *state);

/* For g_autoptr(), which wants one word. */
typedef struct hoststate Hoststate;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hoststate, hoststate_free)

#endif
