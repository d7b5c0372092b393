/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The routes of the map as a page shows them: those that lead to the same hosts
 * are one.
 */
#ifndef SMTPROUTE_CTL_ROUTELIST_H
#define SMTPROUTE_CTL_ROUTELIST_H

#include <glib.h>

#include "ctl/hostlist.h"
#include "hosts/backlog.h"
#include "route/route.h"

/* As many keys of each are named. */
#define ROUTELIST_KEYS 4

/*
 * As many are told apart, and so many routes looked at: a map may have a
 * million, and a page has seconds.
 */
#define ROUTELIST_MAX  2000
#define ROUTELIST_LOOK 100000U

struct routegroup {
	struct route *route; /* the first of them */
	GPtrArray *keys;     /* of the first ones */
	guint count;         /* of all */
	gboolean lost;       /* it has hosts, and none of them takes mail */
	struct backlog_route waiting;
};

/* To be made first; then routelist_add(), then routelist_judge(). */
struct routelist {
	GPtrArray *groups; /* of struct routegroup: lost ones first, then those
			    * that mail waits for, then as in the map */
	guint routes;      /* all of the map, ROUTELIST_LOOK at most */
	guint lost;        /* of these */
	guint left_out;    /* of these, beyond ROUTELIST_MAX groups */
	guint waiting;     /* messages for routes that are none of @groups */
	GHashTable *index; /* of the groups, by hosts */
	GPtrArray *others; /* of routes left out, which hosts they may have:
			    * struct hostrow, NULL behind each route's */
};

struct routelist *
routelist_new(void);

/* A hostlist_visit: @data is the struct routelist. */
void
routelist_add(const struct hostlist *list, const struct route *route,
    void *data);

/*
 * Finds out which are lost and what waits for them, when @list has the state;
 * and sorts them.  @settings: for what waits, in @backlog; NULL: nobody knows.
 */
void
routelist_judge(struct routelist *routes, const struct hostlist *list,
    const struct settings *settings, const struct backlog *backlog);

void
routelist_free(struct routelist *routes);

/* For g_autoptr(), which wants one word. */
typedef struct routelist Routelist;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Routelist, routelist_free)

#endif
