/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What waits, counted: by route, below that by host waited for, below that by
 * reason.
 */
#ifndef SMTPROUTE_CTL_QUEUE_CENSUS_H
#define SMTPROUTE_CTL_QUEUE_CENSUS_H

#include <glib.h>

#include "ctl/queue/mailq.h"

/* A route, a host or a reason. */
struct group {
	char *name;
	guint64 messages[MAILQ_PLACES];
	guint64 recipients;
	gint64 oldest;        /* the earliest arrival, seconds; held messages
			       * do not count.  0: none */
	guint64 last;         /* message counted, a number */
	guint64 beyond;       /* recipients that no group below has */
	GHashTable *children; /* by name; NULL: there are none */
};

struct census {
	struct group *all;    /* its children are routes */
	struct group *others; /* mail that is not ours */
	guint64 number;       /* of the message at hand */
	guint left;           /* how many groups there may still be */
};

/* Hosts are "name:port", or "" where none is named. */
#define CENSUS_NO_HOST ""

struct census *
census_new(void);

/* What follows is about the next message. */
void
census_begin(struct census *census);

/*
 * Counts a recipient of the message.  @parent NULL: it counts for all, and the
 * group is a route's.  NULL: there are too many groups.
 */
struct group *
census_add(struct census *census, struct group *parent, const char *name,
    const struct mailq_message *message);

/* A recipient whose mail is not ours. */
void
census_add_other(struct census *census, const struct mailq_message *message);

/* Messages in it that are not held. */
guint64
group_waiting(const struct group *group);

/* The age of the oldest in microseconds, 0 for none. */
gint64
group_age(const struct group *group);

/* Those below it, the largest first, an array that borrows them. */
GPtrArray *
group_sorted(const struct group *group);

void
census_free(struct census *census);

/* For g_autoptr(), which wants one word. */
typedef struct census Census;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Census, census_free)

#endif
