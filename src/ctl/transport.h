/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Postfix's transport_maps: how they lead mail to a service.  It goes by what
 * service_transport() says.
 */
#ifndef SMTPROUTE_CTL_TRANSPORT_H
#define SMTPROUTE_CTL_TRANSPORT_H

#include <glib.h>

/* The table that serves the keys of the route map @routes; a new string. */
char *
transport_table(const char *routes);

/* Is the table @map the same file as the route map @routes? */
gboolean
transport_reads(const char *map, const char *routes);

/*
 * "pipemap:{texthash:PATH, static:{SERVICE:}}", a new string; what has a
 * nexthop, as LMTP's, stands there without another colon.
 */
char *
transport_pipemap(const char *routes, const char *service);

/* Can @path stand in there, and in master.cf, as it is? */
gboolean
transport_path_is_plain(const char *path);

/*
 * The maps of a list, with what stands between braces whole: new strings,
 * NULL at the end.
 */
char **
transport_split(const char *maps);

/* Adds what transport(5) looks up for @domain, in its order: new strings. */
void
transport_add_keys(GPtrArray *keys, const char *domain);

/* Is the word of a list of domains a table, a file or an exclusion? */
gboolean
transport_is_table(const char *word);

/*
 * The first map of a pipemap in @maps that ends in @service, "texthash:PATH"
 * as a rule; a new string, NULL: there is no such pipemap.
 */
char *
transport_find(const char *maps, const char *service);

enum transport_sight {
	TRANSPORT_NO,     /* no map leads to the service */
	TRANSPORT_LEADS,  /* one does, for some key */
	TRANSPORT_HIDDEN, /* one cannot be read here: a database's, say */
};

/*
 * Does a map in @maps lead anything to @service?  Reads text maps, and the
 * text that an indexed one is made from.  Unless the answer is no, *ret_map is
 * the map, a new string.
 */
enum transport_sight
transport_see(const char *maps, const char *service, char **ret_map);

/* Does "service:", or LMTP's, stand anywhere in @text? */
gboolean
transport_names(const char *text, const char *service);

#endif
