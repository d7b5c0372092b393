/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a host has seen, and a window that slides over it: no stretch of time
 * of a span's length may hold more than a rate allows.
 */
#ifndef SMTPROUTE_SLIDE_H
#define SMTPROUTE_SLIDE_H

#include <glib.h>

struct slide_event {
	gint64 time;
	guint64 count;
};

static inline GArray *
slide_new(void)
{
	return g_array_new(FALSE, FALSE, sizeof(struct slide_event));
}

static inline void
slide_add(GArray *seen, gint64 time, guint64 count)
{
	const struct slide_event event = {time, count};

	g_array_append_val(seen, event);
}

static inline int
slide_compare(const void *a, const void *b)
{
	const struct slide_event *event_a = a;
	const struct slide_event *event_b = b;

	return (event_a->time > event_b->time) -
	    (event_a->time < event_b->time);
}

static inline guint64
slide_total(const GArray *seen)
{
	guint64 total = 0;

	for (guint i = 0; i < seen->len; i++)
		total += g_array_index(seen, struct slide_event, i).count;
	return total;
}

/* The most that any window of this span holds; sorts @seen. */
static inline guint64
slide_most(GArray *seen, gint64 span)
{
	guint64 inside = 0;
	guint64 most = 0;
	guint first = 0;

	g_array_sort(seen, slide_compare);
	for (guint i = 0; i < seen->len; i++) {
		const struct slide_event *last =
		    &g_array_index(seen, struct slide_event, i);

		inside += last->count;
		while (g_array_index(seen, struct slide_event, first).time <=
		    last->time - span)
			inside -=
			    g_array_index(seen, struct slide_event, first++)
				.count;
		most = MAX(most, inside);
	}
	return most;
}

static inline void
slide_check(GArray *seen, gint64 span, guint64 most)
{
	g_assert_cmpuint(slide_most(seen, span), <=, most);
}

#endif
