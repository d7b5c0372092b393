/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which route the mail of a recipient's domain goes along, for many domains:
 * they are asked for in one go, and remembered.
 */
#ifndef SMTPROUTE_CTL_QUEUE_WAYS_H
#define SMTPROUTE_CTL_QUEUE_WAYS_H

#include <glib.h>

#include "ctl/ctl.h"

/* @ctl and @settings must outlive it. */
struct ways *
ways_new(const struct ctl *ctl, const struct settings *settings);

/* For the next ways_find(); @domain as an address has it. */
void
ways_want(struct ways *ways, const char *domain);

/*
 * Finds all that are wanted.  complain() says once if Postfix's tables cannot
 * be asked; then all mail that has a route counts as ours.
 */
void
ways_find(struct ways *ways);

/*
 * The route's key, or the route itself where Postfix has it, in a form for
 * people and scripts; NULL: the mail is not ours.
 */
const char *
ways_route(const struct ways *ways, const char *domain);

/* Forgets what has been found, if it has become much. */
void
ways_limit(struct ways *ways);

void
ways_free(struct ways *ways);

/* For g_autoptr(), which wants one word. */
typedef struct ways Ways;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ways, ways_free)

#endif
