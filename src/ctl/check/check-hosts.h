/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hosts of all routes: do their names resolve, are they this Postfix, and
 * does this machine have the addresses they are to be reached from?
 */
#ifndef SMTPROUTE_CTL_CHECK_HOSTS_H
#define SMTPROUTE_CTL_CHECK_HOSTS_H

#include "ctl/check/check.h"
#include "route/maptext.h"
#include "route/route.h"

/* Names to look up, and local addresses to try. */
struct hosts;

/* With the settings of @check, and its services, which must outlive it. */
struct hosts *
hosts_new(const struct check *check);

void
hosts_add(struct hosts *hosts, const char *path,
    const struct maptext_entry *entry, const struct route *route);

/*
 * Says what is wrong with them, with @dns also with their names; returns how
 * many there are.
 */
guint
hosts_check(struct hosts *hosts, struct findings *findings, gboolean dns);

void
hosts_free(struct hosts *hosts);

/* For g_autoptr(), which wants one word. */
typedef struct hosts Hosts;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hosts, hosts_free)

#endif
