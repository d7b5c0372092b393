/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "hosts/hostrecord.h"
#include "hosts/slots.h"
#include "util/ticket.h"

static GArray *
load(struct statefile_view *view, const char *key)
{
	GArray *slots = g_array_new(FALSE, FALSE, sizeof(guint64));
	gsize size = 0;
	const void *value = statefile_get_any(view, key, &size);

	if (value != NULL)
		g_array_append_vals(slots, value,
		    (guint)(size / sizeof(guint64)));
	return slots;
}

static void
store(struct statefile_view *view, const char *key, const GArray *slots)
{
	if (slots->len == 0)
		statefile_delete(view, key);
	else
		statefile_put(view, key, slots->data,
		    slots->len * sizeof(guint64));
}

static void
drop_dead(struct statefile_view *view, GArray *slots)
{
	int fd = statefile_lock_fd(view);

	for (guint i = slots->len; i > 0; i--) {
		if (!ticket_is_alive(fd, g_array_index(slots, guint64, i - 1)))
			g_array_remove_index(slots, i - 1);
	}
}

gboolean
slots_are_full(struct statefile_view *view, const char *name, guint16 port,
    guint max)
{
	g_autofree char *key = NULL;
	g_autoptr(GArray) slots = NULL;

	if (max == G_MAXUINT)
		return FALSE;
	key = hostrecord_slots_key(name, port);
	slots = load(view, key);
	if (slots->len < max)
		return FALSE;
	drop_dead(view, slots);
	store(view, key, slots);
	return slots->len >= max;
}

guint
slots_count(struct statefile_view *view, const char *name, guint16 port)
{
	g_autofree char *key = hostrecord_slots_key(name, port);
	g_autoptr(GArray) slots = load(view, key);

	drop_dead(view, slots);
	return slots->len;
}

void
slots_occupy(struct statefile_view *view, const char *key, guint64 ticket)
{
	g_autoptr(GArray) slots = load(view, key);

	g_array_append_val(slots, ticket);
	store(view, key, slots);
}

void
slots_release(struct statefile_view *view, const char *key, guint64 ticket)
{
	g_autoptr(GArray) slots = load(view, key);

	for (guint i = 0; i < slots->len; i++) {
		if (g_array_index(slots, guint64, i) != ticket)
			continue;
		g_array_remove_index_fast(slots, i);
		break;
	}
	store(view, key, slots);
}
