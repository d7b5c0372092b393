/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hosts of a route as an administrator wants to see them: all of them,
 * with what is set for them, what the shared state knows, and their addresses.
 */
#ifndef SMTPROUTE_CTL_ROSTER_H
#define SMTPROUTE_CTL_ROSTER_H

#include <glib.h>

#include "agent/plan.h"
#include "hosts/hosttable.h"

struct roster_host {
	const struct destination *destination;
	struct host_settings settings; /* the route's options applied */
	enum standing standing;        /* STANDING_FREE: it can be chosen */
	guint connected;               /* now */
	guint capacity; /* connections it takes, G_MAXUINT or 0: unknown */
	double share;   /* of the weights at its priority, 0 to 1 */
	const struct hosttable_row *row; /* NULL: nothing is known of it */
};

struct roster {
	GArray *hosts; /* of struct roster_host, by priority */
	GArray *order; /* of guint: indices of those that the next delivery
			* would try, in that order */
	char *trouble; /* why nothing is known of any; NULL: no trouble.  The
			* order is by priority then */
	/* For roster.c: */
	const struct settings *settings;
	struct resolver *resolver;
	char *domain; /* of USEDNS; NULL: the map names the hosts */
	struct hoststate *state;
	struct plan *plan;
	GPtrArray *rows;
};

/* Arguments as for plan_new(); all must outlive it.  Looks no name up. */
struct roster *
roster_new(const struct route *route, const char *domain,
    const struct settings *settings, struct resolver *resolver);

void
roster_free(struct roster *roster);

/* For g_autoptr(), which wants one word. */
typedef struct roster Roster;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Roster, roster_free)

const struct roster_host *
roster_at(const struct roster *roster, guint i);

/*
 * "up", or "down, ..." with when it is due, for people.  A new string.
 */
char *
roster_health(const struct roster_host *host);

/* Who has drained it, NULL: nobody. */
const char *
roster_drained(const struct roster_host *host);

/* Where a host is, as DNS says now. */
struct place {
	struct candidate candidate;
	char *name;     /* candidate.host */
	int preference; /* of the MX with this name, -1: it is none */
	gboolean bad;   /* failed a moment ago: a delivery tries it last */
	gboolean cut;   /* no host, but why others are not tried: the error */
	GError *error;  /* why the candidate has no address; NULL: it has */
};

/*
 * All addresses of a host, of struct place, in the order that a delivery tries
 * them: an address comes once.  Never empty: what cannot be resolved has a
 * place with an error.  @host and @roster must outlive it.
 */
GPtrArray *
roster_places(const struct roster *roster, const struct roster_host *host);

#endif
