/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The route map: key -> route.  A text file in the form of Postfix's tables
 * (postmap(1)), "lmdb:path" for what postmap(1) has made of one, or a route
 * given in place of a key.
 */
#ifndef SMTPROUTE_ROUTEMAP_H
#define SMTPROUTE_ROUTEMAP_H

#include <glib.h>

#include "route/mapmemory.h"
#include "route/maptext.h"
#include "route/route.h"

/* A map larger than this belongs into an indexed table. */
#define ROUTEMAP_SIZE_MAX (64 * 1024 * 1024)

#define ROUTEMAP_ERROR (routemap_error_quark())

enum routemap_error {
	ROUTEMAP_ERROR_FILE,    /* the map cannot be read */
	ROUTEMAP_ERROR_MISSING, /* no key fits */
};

GQuark
routemap_error_quark(void);

/*
 * The route for mail to @domain (canonical, see domain.h); NULL: to any other
 * than @nexthop, which has to be given then.
 *
 * @nexthop: what Postfix passed as ${nexthop}.  NULL, or the same domain: the
 * domain is looked up in @path, then ".parent" from the longest down, then
 * "*" or "ALL".  With any of "[]:/," in it: an inline route.  Otherwise the
 * name of a route, which must be a key of @path as it stands.
 *
 * NULL with ROUTEMAP_ERROR, or ROUTE_ERROR from the entry that was chosen;
 * entries that were not are not parsed.
 */
struct route *
routemap_find(const char *path, const char *nexthop, const char *domain,
    GError **error);

/* The same; a text map is looked up in the memory where it can hold it. */
struct route *
routemap_find_in(struct mapmemory *memory, const char *path,
    const char *nexthop, const char *domain, GError **error);

/* The route of one entry of the map @path; ROUTE_ERROR as above. */
struct route *
routemap_parse(const char *path, const struct maptext_entry *entry,
    GError **error);

/*
 * The name of an entry's origin, for messages: the path, or where there are no
 * lines path and key.  A new string.
 */
char *
routemap_origin(const char *path, const struct maptext_entry *entry);

/* The file that the map @path is read from, a new string. */
char *
routemap_file(const char *path);

/*
 * Does routemap_find() look @domain up, for this @nexthop, rather than take
 * the nexthop for a route or a route's name?
 */
gboolean
routemap_looks_up(const char *nexthop, const char *domain);

#endif
