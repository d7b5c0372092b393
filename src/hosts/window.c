/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "hosts/window.h"

/* Of a part; rounded up, so that all of them are no shorter than the span. */
static gint64
part_length(const struct window *window)
{
	return (window->span + WINDOW_PARTS - 2) / (WINDOW_PARTS - 1);
}

static guint32 *
part(struct window *window, gint64 number)
{
	return &window->counts[number % WINDOW_PARTS];
}

gboolean
window_is_sound(const struct window *window, gint64 now)
{
	return window->span >= WINDOW_PARTS && window->head >= 0 &&
	    window->head <= now / part_length(window);
}

void
window_advance(struct window *window, gint64 now)
{
	gint64 head = now / part_length(window);

	if (head - window->head >= WINDOW_PARTS)
		memset(window->counts, 0, sizeof(window->counts));
	else
		for (gint64 i = window->head + 1; i <= head; i++)
			*part(window, i) = 0;
	window->head = MAX(window->head, head);
}

void
window_add(struct window *window, gint64 then, guint32 count)
{
	gint64 number = MIN(then / part_length(window), window->head);
	guint32 *counted;

	if (number <= window->head - WINDOW_PARTS || number < 0)
		return;
	counted = part(window, number);
	*counted += MIN(count, G_MAXUINT32 - *counted);
}

guint64
window_sum(const struct window *window)
{
	guint64 sum = 0;

	for (guint i = 0; i < WINDOW_PARTS; i++)
		sum += window->counts[i];
	return sum;
}

guint64
window_sum_at(const struct window *window, gint64 then)
{
	struct window later = *window;

	window_advance(&later, then);
	return window_sum(&later);
}

gint64
window_wait(const struct window *window, gint64 now, guint64 most)
{
	guint64 sum = window_sum(window);
	gint64 oldest = MAX(window->head - WINDOW_PARTS + 1, 0);
	gint64 number = oldest;

	if (sum <= most)
		return 0;
	for (; sum > most && number <= window->head; number++)
		sum -= window->counts[number % WINDOW_PARTS];
	/* The part before @number is forgotten with the one that follows. */
	return MAX((number - 1 + WINDOW_PARTS) * part_length(window) - now, 1);
}
