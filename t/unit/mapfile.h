/* SPDX-License-Identifier: BSD-2-Clause */
/* The file of a route map, for tests of what is looked up in it. */
#ifndef SMTPROUTE_MAPFILE_H
#define SMTPROUTE_MAPFILE_H

#include <glib.h>

/* Text that may hold NUL, and its length. */
#define MAPFILE_TEXT(literal) literal, sizeof(literal) - 1

/* What is expected of a destination. */
#define MAPFILE_HOST "name, [name], IPv4 address or [IPv6 address]"

/* A folder of this program's own, with one file in it. */
struct mapfile {
	char *folder;
	char *path;
};

typedef void
mapfile_test(struct mapfile *f, gconstpointer data);

/* Adds a test as /@says, which gets a struct mapfile of its own and @row. */
void
mapfile_add(const char *says, gconstpointer row, mapfile_test *test);

void
mapfile_write(const struct mapfile *f, const char *text, gsize length);

/*
 * The route, or the message with MAP for the path: a new string.  A memory of
 * the map (route/mapmemory.h) must have the same.
 */
char *
mapfile_look_up(const struct mapfile *f, const char *nexthop,
    const char *domain);

#endif
