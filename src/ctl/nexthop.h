/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The nexthop that Postfix passes on for a domain: what stands behind our
 * service in whatever table its transport_maps has, SQL, LDAP and the like.
 */
#ifndef SMTPROUTE_CTL_NEXTHOP_H
#define SMTPROUTE_CTL_NEXTHOP_H

#include <glib.h>

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

/* Is the table asked for whole addresses only, and for "*"? */
gboolean
nexthop_wants_address(const char *table);

void
nexthop_free(struct nexthop *nexthop);

/* For g_autoptr(), which wants one word. */
typedef struct nexthop Nexthop;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Nexthop, nexthop_free)

#endif
