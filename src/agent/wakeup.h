/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wake-up: has Postfix try messages now that were deferred on account of a
 * host which can be had again, by postqueue(1) with -i.
 *
 * Each message is woken once at most; if something goes wrong Postfix tries it
 * in its own time.
 */
#ifndef SMTPROUTE_WAKEUP_H
#define SMTPROUTE_WAKEUP_H

#include <glib.h>

#include "conf/settings.h"
#include "hosts/hoststate.h"

/* What one delivery has to do with it; all zero: nothing. */
struct wakeup {
	const char *queue_id; /* of its message, NULL: not to be remembered */
	GPtrArray *calls;     /* hosts it found to be up, of struct call */
};

/* Of this message, unless the settings are against it. */
struct wakeup
wakeup_of(const struct settings *settings, const char *queue_id);

/*
 * Begins to wake the messages that wait for these hosts, in a process of its
 * own: to be done when the verdict is out.  @settings: NULL if there are none,
 * and then no calls either.
 */
void
wakeup_start(const struct wakeup *wakeup, const struct settings *settings);

/* The path of postqueue(1), a new string; NULL: there is none to be run. */
char *
wakeup_find_postqueue(void);

/* Takes @calls, of hoststate_take_calls(), which may be NULL. */
void
wakeup_add(struct wakeup *wakeup, GPtrArray *calls);

void
wakeup_clear(struct wakeup *wakeup);

/*
 * Has Postfix try what waits for hosts that are free again by their rate, and
 * that nobody has delivered to since.
 */
void
wakeup_due(const struct settings *settings);

#endif
