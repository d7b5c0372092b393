/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One entry of the route map.
 */
#ifndef SMTPROUTE_CTL_CHECK_ENTRY_H
#define SMTPROUTE_CTL_CHECK_ENTRY_H

#include "ctl/finding.h"
#include "route/maptext.h"
#include "route/route.h"

/*
 * One entry of the map @path: says every fault, and returns the route if there
 * is none.
 */
struct route *
check_entry(struct findings *findings, const char *path,
    const struct maptext_entry *entry);

/* Where the entry is, "path:line:1" or "path: key K".  A new string. */
char *
check_entry_line(const char *path, const struct maptext_entry *entry);

/* Where a destination stands, if anybody asks: check_entry_place(). */
struct place {
	const char *path;
	struct maptext_entry entry;
	guint index;
};

/*
 * "path:line:column" of the destination @index, counted from 0, of an entry
 * without fault.  A new string.
 */
char *
check_entry_place(const char *path, const struct maptext_entry *entry,
    guint index);

/* The destination itself as it is written, without options.  A new string. */
char *
check_entry_text(const struct maptext_entry *entry, guint index);

#endif
