/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Choosing: how deliveries along a route choose among its hosts, and wait for
 * them; for all routes, and for single ones in groups [route KEY].
 */
#ifndef SMTPROUTE_CHOOSING_H
#define SMTPROUTE_CHOOSING_H

#include <glib.h>

enum when_unsure {
	WHEN_UNSURE_DEFER, /* zero */
	WHEN_UNSURE_NEXT,
	WHEN_UNSURE_UNSET,
};

enum balance {
	BALANCE_ROUNDROBIN, /* zero */
	BALANCE_LEASTCONN,
	BALANCE_UNSET,
};

struct choosing {
	enum when_unsure when_unsure;
	enum balance balance;
	gint64 patience;   /* microseconds; -1: not set, so is the next one */
	gint64 slow_start; /* 0: hosts have their full share at once */
	guint waiting;     /* G_MAXUINT: not set */
};

/* All of a group [route KEY] before its keys are read. */
struct choosing
choosing_unset(void);

/* What @from has set. */
void
choosing_overlay(struct choosing *to, const struct choosing *from);

/*
 * What a group is found by: keys that are the same to the route map have the
 * same.  A new string.
 */
char *
choosing_id(const char *key);

#endif
