/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys of a map that were seen, as smtproute compares them and as Postfix
 * does.  There may be millions, so of each no more is kept than its place.
 */
#ifndef SMTPROUTE_CTL_CHECK_KEYS_H
#define SMTPROUTE_CTL_CHECK_KEYS_H

#include "ctl/finding.h"
#include "route/maptext.h"

struct keys;

/* @copy: of the map @path (mapcopy.h); both must outlive it. */
struct keys *
keys_new(const char *path, GBytes *copy);

/* Says whether the key of an entry of the copy has been there before. */
void
keys_add(struct keys *keys, const struct maptext_entry *entry,
    struct findings *findings);

void
keys_free(struct keys *keys);

/* For g_autoptr(), which wants one word. */
typedef struct keys Keys;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Keys, keys_free)

#endif
