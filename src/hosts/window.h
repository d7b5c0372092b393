/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A window: how many of something there were in a span of time that ends now.
 *
 * It is counted in sixtieths of the span, and what happened in one of them
 * counts until the whole of it is older than the span: never too little, and
 * for a sixtieth of the span longer at most.
 *
 * Times are in microseconds, of whatever clock does not go back.
 */
#ifndef SMTPROUTE_WINDOW_H
#define SMTPROUTE_WINDOW_H

#include <glib.h>

/* The one that is under way, and those that the span reaches back to. */
#define WINDOW_PARTS (60 + 1)

struct window {
	gint64 span;
	gint64 head;                  /* the number of the part under way */
	guint32 counts[WINDOW_PARTS]; /* by number of the part, modulo */
};

/* Can it have been made by @now, going by what it holds? */
gboolean
window_is_sound(const struct window *window, gint64 now);

/* All that is too old by @now is forgotten. */
void
window_advance(struct window *window, gint64 now);

/* @then: not after the @now of window_advance(). */
void
window_add(struct window *window, gint64 then, guint32 count);

/* How many count. */
guint64
window_sum(const struct window *window);

/* And @then, if nothing is added; not before the @now of window_advance(). */
guint64
window_sum_at(const struct window *window, gint64 then);

/*
 * Until no more than @most count, if nothing is added; @now: as for
 * window_advance().
 */
gint64
window_wait(const struct window *window, gint64 now, guint64 most);

#endif
