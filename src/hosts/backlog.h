/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The messages that wait on account of hosts (deferred.h), as an administrator
 * sees them: how many of which route, and since when.
 */
#ifndef SMTPROUTE_BACKLOG_H
#define SMTPROUTE_BACKLOG_H

#include <glib.h>

struct backlog_route {
	guint messages;
	gint64 oldest; /* real time, microseconds */
};

struct backlog {
	struct backlog_route all;
	guint64 woken;      /* since the state was begun */
	GHashTable *routes; /* by deferred_route(), struct backlog_route */
};

/*
 * Nothing written yet: nothing waits.  NULL with STATEFILE_ERROR.  Needs no
 * right but to read the file.
 */
struct backlog *
backlog_read(const char *directory, GError **error);

/* @route: see deferred_route(); of one that nothing waits for all zero. */
struct backlog_route
backlog_of(const struct backlog *backlog, const char *route);

void
backlog_free(struct backlog *backlog);

/* For g_autoptr(), which wants one word. */
typedef struct backlog Backlog;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Backlog, backlog_free)

#endif
