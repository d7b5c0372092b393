/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The key of an entry of a route map: what it stands for.
 */
#ifndef SMTPROUTE_MAPKEY_H
#define SMTPROUTE_MAPKEY_H

#include <glib.h>

#include "route/maptext.h"

#define MAPKEY_ANY "*"
#define MAPKEY_ALL "ALL" /* the ESA's word for it */

/* ASCII, without regard to case. */
gboolean
mapkey_is(const char *key, gsize length, const char *text);

/* Does it stand for all domains? */
gboolean
mapkey_is_any(const char *key, gsize length);

/*
 * The form in which text that is no ASCII, or an address literal, is compared:
 * a domain, a domain behind a dot, or a literal.  A new string; NULL: it is
 * none of these.
 */
char *
mapkey_canonical(const char *text);

/*
 * What an entry's key is the same as: the A-labels of a domain, "*" for
 * "ALL", lower case.  A new string, NULL if no lookup can find it.
 */
char *
mapkey_of(const struct maptext_entry *entry);

/* "ALL:" with nothing behind it is the ESA's way to say USEDNS. */
gboolean
mapkey_says_dns(const struct maptext_entry *entry);

/* As in Postfix the first of equal keys wins, where it has a value. */
gboolean
mapkey_wins(const struct maptext_entry *entry);

#endif
