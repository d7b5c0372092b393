/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Showing something again and again, until nobody wants to see it.
 */
#ifndef SMTPROUTE_CTL_WATCH_H
#define SMTPROUTE_CTL_WATCH_H

#include <glib.h>

/* The columns of the terminal that stdout is, at most @most; else @most. */
guint
watch_width(guint most);

/* From now on SIGINT and SIGTERM end watch_wait(), not the process. */
void
watch_begin(void);

/* Clears the screen, if stdout is one, and says the time. */
void
watch_say_head(guint seconds);

/*
 * Waits for @seconds, and until stdout takes more.  FALSE: it is over, since
 * of a signal or since stdout has no reader.
 */
gboolean
watch_wait(guint seconds);

#endif
