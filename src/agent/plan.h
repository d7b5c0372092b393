/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plan of a delivery: a route's hosts in the order to try them, resolved
 * one by one, when it is their turn.
 */
#ifndef SMTPROUTE_PLAN_H
#define SMTPROUTE_PLAN_H

#include <glib.h>

#include "address/endpoint.h"
#include "conf/settings.h"
#include "dns/resolve.h"
#include "hosts/hoststate.h"
#include "route/route.h"

#define PLAN_ERROR (plan_error_quark())

enum plan_error {
	PLAN_ERROR_FAMILY, /* bind= or address-family rules the address out */
};

GQuark
plan_error_quark(void);

/* One address to try. */
struct candidate {
	const struct destination *destination; /* of the route */
	const char *host; /* the name that has the address: an MX, or the
			   * destination's own (then it is the very
			   * pointer); belongs to plan and route */
	int preference;   /* of the MX with that name, -1: it is none */
	struct host_settings settings; /* the route's options applied */
	struct endpoint endpoint;
	char address[ENDPOINT_TEXT_SIZE]; /* of the endpoint */
	const char *id;                   /* candidate_id(), the plan's */
};

/*
 * What makes it another attempt: the address and port, the source address,
 * how TLS and AUTH are done, and, where it is verified, who has to be there.
 * A new string.
 */
char *
candidate_id(const struct candidate *candidate);

enum plan_step {
	PLAN_END,        /* zero: nothing left of this destination */
	PLAN_CANDIDATE,  /* try this */
	PLAN_UNRESOLVED, /* all but the endpoint is set, the error (of RESOLVE,
			  * EXPANSION or PLAN) says why no address of the host
			  * can be tried */
};

struct plan;

/*
 * @route, @domain (the recipients', for USEDNS), @settings, @resolver and
 * @state must outlive the plan.
 *
 * Order of destinations: hoststate_choose()'s, each once.  Mail exchangers of
 * a destination come by preference, equal ones shuffled (RFC 5321 section
 * 5.1), addresses as the resolver orders them, those that failed lately after
 * all others of the destination.  An address and port comes once per plan,
 * whatever names lead to it, unless bind=, TLS or AUTH make it another attempt:
 * where TLS verifies names, other names do.
 *
 * A route that discards has no hosts.
 */
struct plan *
plan_new(const struct route *route, const char *domain,
    const struct settings *settings, struct resolver *resolver,
    struct hoststate *state);

/*
 * Goes on to the next destination.  FALSE: there is none to be had, and
 * plan_contenders() says why.  The one before must have been left
 * (hoststate_leave()).
 */
gboolean
plan_next_destination(struct plan *plan);

/*
 * The current destination may be chosen again, as if for the first time: its
 * contender's standing is the caller's.
 */
struct contender *
plan_reopen(struct plan *plan);

/*
 * The next step at this destination.  Looks names up until @deadline at the
 * latest, and until the destination's connect time-out for one lookup.
 */
enum plan_step
plan_next(struct plan *plan, gint64 deadline, struct candidate *candidate,
    GError **error);

/*
 * Why mail exchangers of the current destination are left out, see
 * expansion_cut().
 */
const char *
plan_cut(const struct plan *plan);

/* One more name of this machine, see self_set_name(). */
void
plan_set_own_name(struct plan *plan, const char *name);

/* What is set for a destination, its own options applied. */
struct host_settings
plan_settings(const struct settings *settings,
    const struct destination *destination);

/* The destination that plan_next_destination() went on to. */
const struct destination *
plan_current(const struct plan *plan);

/* All destinations of the route, of struct contender, by priority. */
GArray *
plan_contenders(struct plan *plan);

/*
 * The destination of the @i-th of these, and what is set for it, the route's
 * options applied.
 */
const struct destination *
plan_destination(const struct plan *plan, guint i,
    struct host_settings *ret_settings);

void
plan_free(struct plan *plan);

/* For g_autoptr(), which wants one word. */
typedef struct plan Plan;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plan, plan_free)

#endif
