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

/*
 * From now on SIGINT and SIGTERM end watch_wait(), not the process.  @screen: a
 * terminal that can has another screen, until watch_end().
 */
void
watch_begin(gboolean screen);

void
watch_end(void);

/*
 * Shows complaints (lines, which else go to stderr) and @text below a head that
 * says the time: on the other screen in the place of what is there, as much of
 * it as there is room for.
 */
void
watch_show(guint seconds, const char *complaints, const char *text);

/*
 * Waits for @seconds, or until the terminal has another size, and until stdout
 * takes more.  FALSE: it is over, since
 * of a signal or since stdout has no reader.
 */
gboolean
watch_wait(guint seconds);

#endif
