/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The nexthop that Postfix passes on for a domain: what stands behind our
 * service in whatever table its transport_maps has, SQL, LDAP and the like.
 */
#ifndef SMTPROUTE_CTL_NEXTHOP_H
#define SMTPROUTE_CTL_NEXTHOP_H

#include "ctl/tables.h"

/* An entry of a table, found by nexthop_look_up(). */
struct nexthop_entry {
	const char *map;
	const char *key;
	char *value; /* new; NULL: there is none */
};

struct nexthop {
	char *table; /* "type:name" */
	char *key;   /* that it has */
	char *text;  /* as pipe(8) passes it on, with its flags=h */
};

/*
 * Looks for it as transport(5) does, with postmaster's address for tables that
 * are asked for whole addresses.  NULL: transport_maps has nothing for
 * @domain, or leads it elsewhere, or by our service to the route map; with
 * @error also if it cannot be asked, but not for want of a Postfix.
 */
struct nexthop *
nexthop_find(const char *domain, GError **error);

/* New strings, NULL at the end: the keys for @domain, the best one first. */
GPtrArray *
nexthop_keys(const char *domain);

/* Asks @map at once for the keys that it takes, of arrays of nexthop_keys(). */
void
nexthop_ask(struct tables *tables, const char *map, const GPtrArray *all);

/*
 * What the first of @maps that has the best of @keys has for it.  FALSE: one
 * cannot be asked.
 */
gboolean
nexthop_look_up(struct tables *tables, char *const *maps, const GPtrArray *keys,
    struct nexthop_entry *ret, GError **error);

void
nexthop_free(struct nexthop *nexthop);

/* For g_autoptr(), which wants one word. */
typedef struct nexthop Nexthop;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Nexthop, nexthop_free)

#endif
