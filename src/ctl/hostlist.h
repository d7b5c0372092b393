/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All hosts there are: those that the route map has, and those that the
 * shared state remembers.
 */
#ifndef SMTPROUTE_CTL_HOSTLIST_H
#define SMTPROUTE_CTL_HOSTLIST_H

#include <glib.h>

#include "conf/settings.h"
#include "hosts/hosttable.h"
#include "route/route.h"

struct hostrow {
	struct hosttable_row known; /* name and port; else zero if unknown */
	char *label;                /* for people: "name:port", printable */
	gboolean remembered;        /* does the state know it? */
	guint routes;               /* how often the route map has it */
	guint drained_routes;       /* how often of these with "drain" */
	gboolean left;              /* it is remembered, and not of the map any
				     * more, unless a table of Postfix's has it */
	guint drain_line;      /* of the map, the first such; 0: no lines */
	guint max_connections; /* 0: no limit */
	struct rates rates[TALLY_UNITS]; /* as the first route has them that
					  * says so, or the settings */
};

enum hostrow_standing {
	HOSTROW_UP,
	HOSTROW_DOWN,
	HOSTROW_DRAINED,        /* by command */
	HOSTROW_DRAINED_IN_MAP, /* wherever the map has it */
};

enum hostrow_standing
hostrow_standing(const struct hostrow *row);

/* How many connections it may have, by the settings or itself; 0: no limit. */
guint
hostrow_limit(const struct hostrow *row);

/* Is it up, but full, at its rate, or suspect?  Of one that is up. */
gboolean
hostrow_is_busy(const struct hostrow *row);

/* Is its last failure of interest: of a host that is down, or of the last day?
 */
gboolean
hostrow_shows_error(const struct hostrow *row, gint64 now);

/* Has nothing but USEDNS led to it? */
gboolean
hostrow_is_stranger(const struct hostrow *row);

/* Has it left the map, and no mail has come to it for a day? */
gboolean
hostrow_is_gone(const struct hostrow *row, gint64 now);

struct hostlist {
	GPtrArray *rows;   /* of struct hostrow */
	gboolean complete; /* could the whole route map be read? */
	GHashTable *index;
	char *path;  /* of the route map */
	GBytes *map; /* its copy (mapcopy.h); NULL: it cannot be read */
};

/* Is shown a route of the map, whose hosts the list has; the route is lent. */
typedef void
hostlist_visit(const struct hostlist *list, const struct route *route,
    void *data);

/*
 * The hosts of the route map, as far as it can be read; complain() has said
 * what could not.  @before: the map of an earlier list; it is taken if this
 * user is denied the file.  NULL: there is none.  @visit is shown all routes
 * on the way, as by hostlist_each_route(), which would parse them once more;
 * NULL: nobody is.
 */
struct hostlist *
hostlist_new(const struct settings *settings, GBytes *before,
    hostlist_visit *visit, void *data);

/* The row of a destination; NULL: there is none. */
struct hostrow *
hostlist_find(const struct hostlist *list, const char *name, guint16 port);

/* Shows @visit all routes of the map that can be read, in its order. */
void
hostlist_each_route(const struct hostlist *list, hostlist_visit *visit,
    void *data);

/*
 * Adds what the state knows, and sorts the rows by name and port.  FALSE with
 * STATEFILE_ERROR: there is nothing to add.
 */
gboolean
hostlist_add_state(struct hostlist *list, const struct settings *settings,
    GError **error);

/*
 * The same rows, a new array: what is down first, then what is full, suspect or
 * at its rate, then what is drained, and what failed within the day before what
 * did not.
 */
GPtrArray *
hostlist_worst_first(const GPtrArray *rows);

void
hostlist_free(struct hostlist *list);

/* For g_autoptr(), which wants one word. */
typedef struct hostlist Hostlist;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hostlist, hostlist_free)

#endif
