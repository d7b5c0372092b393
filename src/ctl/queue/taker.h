/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom Postfix gives the mail of a domain: a service of ours, or not.
 */
#ifndef SMTPROUTE_CTL_QUEUE_TAKER_H
#define SMTPROUTE_CTL_QUEUE_TAKER_H

#include <glib.h>

/*
 * Reads master.cf and main.cf: what leads to services that read the settings
 * @conf.  NULL with COMMAND_ERROR, also if there is none.
 */
struct taker *
taker_new(const char *conf, GError **error);

/*
 * For each of @domains, canonical ones, *ret_nexthops gets what stands behind
 * the service: "" for nothing, NULL if the mail is not ours.  New strings.
 * FALSE: a table cannot be asked.
 */
gboolean
taker_ask(const struct taker *taker, const GPtrArray *domains,
    GPtrArray **ret_nexthops, GError **error);

void
taker_free(struct taker *taker);

/* For g_autoptr(), which wants one word. */
typedef struct taker Taker;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Taker, taker_free)

#endif
