/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "hosts/slots.h"
#include "util/ticket.h"

/* Looked at for each that is added: more than one, so that lists shrink. */
#define LOOK_AT 2

/* In a ticket of the list, none of which has it (ticket.c): the slot is held.
 */
#define HELD (G_GUINT64_CONSTANT(1) << 63)

char *
slots_connected_key(const char *name, guint16 port)
{
	return statefile_host_key("slots ", name, port);
}

char *
slots_waiting_key(const char *name, guint16 port)
{
	return statefile_host_key("waiting ", name, port);
}

char *
slots_first_key(const char *name, guint16 port)
{
	return statefile_host_key("first ", name, port);
}

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

static gboolean
is_alive(int fd, guint64 slot)
{
	return ticket_is_alive(fd, slot & ~HELD);
}

static void
drop_dead(struct statefile_view *view, GArray *slots)
{
	int fd = statefile_lock_fd(view);

	for (guint i = slots->len; i > 0; i--) {
		if (!is_alive(fd, g_array_index(slots, guint64, i - 1)))
			g_array_remove_index(slots, i - 1);
	}
}

/* For lists that nobody counts. */
static void
drop_some_dead(struct statefile_view *view, GArray *slots)
{
	int fd = statefile_lock_fd(view);

	for (guint i = 0; i < LOOK_AT && slots->len > 0; i++) {
		guint k = (guint)g_random_int_range(0, (gint32)slots->len);

		if (!is_alive(fd, g_array_index(slots, guint64, k)))
			g_array_remove_index(slots, k);
	}
}

gboolean
slots_are_full(struct statefile_view *view, const char *key, guint max)
{
	g_autoptr(GArray) slots = NULL;
	guint length;

	if (max == G_MAXUINT)
		return FALSE;
	slots = load(view, key);
	if (slots->len < max)
		return FALSE;
	length = slots->len;
	drop_dead(view, slots);
	if (slots->len < length)
		store(view, key, slots);
	return slots->len >= max;
}

guint
slots_count(struct statefile_view *view, const char *key)
{
	g_autoptr(GArray) slots = load(view, key);

	drop_dead(view, slots);
	return slots->len;
}

guint
slots_count_busy(struct statefile_view *view, const char *key)
{
	g_autoptr(GArray) slots = load(view, key);
	int fd = statefile_lock_fd(view);
	guint busy = 0;

	for (guint i = 0; i < slots->len; i++) {
		guint64 slot = g_array_index(slots, guint64, i);

		busy += (slot & HELD) == 0 && is_alive(fd, slot);
	}
	return busy;
}

/* The slot of @ticket that is in use: one that is not held, if there is. */
static guint
find(const GArray *slots, guint64 ticket)
{
	guint found = slots->len;

	for (guint i = 0; i < slots->len; i++) {
		guint64 slot = g_array_index(slots, guint64, i);

		if (slot == ticket)
			return i;
		if (slot == (ticket | HELD))
			found = i;
	}
	return found;
}

guint
slots_count_marked(struct statefile_view *view, const char *key, guint64 except)
{
	g_autoptr(GArray) slots = load(view, key);
	guint own = find(slots, except);
	int fd = statefile_lock_fd(view);
	guint marked = 0;

	for (guint i = 0; i < slots->len; i++) {
		guint64 slot = g_array_index(slots, guint64, i);

		if (i == own)
			continue;
		marked += (slot & HELD) != 0 ? is_alive(fd, slot)
					     : ticket_is_marked(fd, slot);
	}
	return marked;
}

guint
slots_count_before(struct statefile_view *view, const char *key, guint64 ticket)
{
	g_autoptr(GArray) slots = load(view, key);
	int fd = statefile_lock_fd(view);
	guint before = 0;

	for (guint i = 0; i < slots->len; i++) {
		guint64 other = g_array_index(slots, guint64, i);

		if (other == ticket)
			break;
		before += is_alive(fd, other);
	}
	return before;
}

void
slots_occupy(struct statefile_view *view, const char *key, guint64 ticket)
{
	g_autoptr(GArray) slots = load(view, key);

	drop_some_dead(view, slots);
	g_array_append_val(slots, ticket);
	store(view, key, slots);
}

void
slots_release(struct statefile_view *view, const char *key, guint64 ticket)
{
	g_autoptr(GArray) slots = load(view, key);
	guint own = find(slots, ticket);

	if (own == slots->len)
		return;
	g_array_remove_index(slots, own);
	store(view, key, slots);
}

/* FALSE: there is no such slot. */
static gboolean
replace(struct statefile_view *view, const char *key, guint64 from, guint64 to)
{
	g_autoptr(GArray) slots = load(view, key);

	for (guint i = 0; i < slots->len; i++) {
		if (g_array_index(slots, guint64, i) != from)
			continue;
		g_array_index(slots, guint64, i) = to;
		store(view, key, slots);
		return TRUE;
	}
	return FALSE;
}

void
slots_hold(struct statefile_view *view, const char *key, guint64 ticket)
{
	replace(view, key, ticket, ticket | HELD);
}

gboolean
slots_has(struct statefile_view *view, const char *key, guint64 ticket)
{
	g_autoptr(GArray) slots = load(view, key);

	return find(slots, ticket) < slots->len;
}

gboolean
slots_resume(struct statefile_view *view, const char *key, guint64 ticket)
{
	return replace(view, key, ticket | HELD, ticket);
}
