/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a route was found, or none: in words.
 */
#ifndef SMTPROUTE_CTL_MATCH_H
#define SMTPROUTE_CTL_MATCH_H

#include <glib.h>

#include "route/route.h"

/* As for routemap_find(), which has found @route. */
const char *
match_why(const struct route *route, const char *nexthop, const char *domain);

/*
 * "key, file:line" of a route from @path, or "key, map" where there are no
 * lines; printable, a new string.
 */
char *
match_where(const struct route *route, const char *path);

/* "key, key, ...": what routemap_find() has looked for; a new string. */
char *
match_keys(const char *nexthop, const char *domain);

#endif
