/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "hosts/hostrecord.h"
#include "hosts/sweep.h"
#include "hosts/tally.h"

#define FORGET_AFTER    (G_GINT64_CONSTANT(7) * 86400 * G_USEC_PER_SEC)
#define FORGET_STRANGER (3600 * (gint64)G_USEC_PER_SEC)

#define STRANGERS_MAX 5000
#define STRANGERS_KEY "strangers"

/* Each is ROTATION_MEMBERS_MAX numbers at most: some 30 MB. */
#define TURNS_MAX 20000
#define TURNS_KEY "turns"

#define TALLIES_MAX 20000
#define TALLIES_KEY "tallies"

/* More than one for each that is added. */
#define LOOK_AT 4

static gboolean
is_drained(const void *value, gsize size)
{
	struct hostrecord record;

	if (size != sizeof(record))
		return FALSE;
	hostrecord_load(&record, value);
	return record.drained;
}

static gboolean
is_stranger(const void *value, gsize size)
{
	struct hostrecord record;

	if (size != sizeof(record))
		return FALSE;
	hostrecord_load(&record, value);
	return record.stranger && !record.drained;
}

static gboolean
is_spent(const void *value, gsize size)
{
	const struct tally_time now = tally_now();
	g_autoptr(Tally) tally = tally_read(value, size);

	tally_advance(tally, &now);
	return tally_is_spent(tally);
}

static gboolean
is_old(const char *key, const void *value, gsize size)
{
	gboolean host = g_str_has_prefix(key, HOSTRECORD_PREFIX);
	gint64 after =
	    host && is_stranger(value, size) ? FORGET_STRANGER : FORGET_AFTER;
	gint64 seen;

	if (g_str_has_prefix(key, TALLY_PREFIX))
		return is_spent(value, size);
	if (size < sizeof(seen))
		return TRUE;
	memcpy(&seen, value, sizeof(seen));
	return seen < g_get_real_time() - after &&
	    (!host || !is_drained(value, size));
}

void
sweep_after(struct statefile_view *view, const char *key)
{
	gsize kind = strcspn(key, " ") + 1;
	g_autofree char *from = statefile_after(key);

	for (int i = 0; i < LOOK_AT; i++) {
		const void *value;
		gsize size;
		const char *found = statefile_seek(view, from, &value, &size);
		g_autofree char *name = g_strdup(found);

		if (name == NULL || strncmp(name, key, kind) != 0)
			return;
		if (is_old(name, value, size))
			statefile_delete(view, name);
		g_free(from);
		from = statefile_after(name);
	}
}

struct record {
	char *key;
	gint64 seen;
};

static void
record_clear(void *data)
{
	g_free(((struct record *)data)->key);
}

static int
compare_seen(const void *a, const void *b)
{
	const struct record *record_a = a;
	const struct record *record_b = b;

	return (record_a->seen > record_b->seen) -
	    (record_a->seen < record_b->seen);
}

static GArray *
list_records(struct statefile_view *view, const char *prefix,
    gboolean (*is_one)(const void *value, gsize size))
{
	GArray *records = g_array_new(FALSE, TRUE, sizeof(struct record));
	g_autofree char *from = g_strdup(prefix);

	g_array_set_clear_func(records, record_clear);
	for (;;) {
		const void *value;
		gsize size;
		const char *key = statefile_seek(view, from, &value, &size);
		struct record *record;

		if (key == NULL || !g_str_has_prefix(key, prefix))
			return records;
		g_free(from);
		from = statefile_after(key);
		if (is_one != NULL && !is_one(value, size))
			continue;
		g_array_set_size(records, records->len + 1);
		record =
		    &g_array_index(records, struct record, records->len - 1);
		if (size >= sizeof(record->seen))
			memcpy(&record->seen, value, sizeof(record->seen));
		record->key = g_strdup(key);
	}
}

guint
sweep_oldest(struct statefile_view *view, const char *prefix,
    gboolean (*is_one)(const void *value, gsize size), guint max, guint keep)
{
	g_autoptr(GArray) records = list_records(view, prefix, is_one);
	guint excess = records->len > max ? records->len - keep : 0;

	g_array_sort(records, compare_seen);
	for (guint i = 0; i < excess; i++)
		statefile_delete(view,
		    g_array_index(records, struct record, i).key);
	return records->len - excess;
}

/* A record was added; @counter counts up only, and now and then anew. */
static void
count_added(struct statefile_view *view, const char *counter,
    const char *prefix, gboolean (*is_one)(const void *value, gsize size),
    guint max)
{
	const void *value = statefile_get(view, counter, sizeof(guint64));
	guint64 count = 0;

	if (value != NULL)
		memcpy(&count, value, sizeof(count));
	if (++count > max)
		count = sweep_oldest(view, prefix, is_one, max, max / 10 * 9);
	statefile_put(view, counter, &count, sizeof(count));
}

void
sweep_strangers(struct statefile_view *view)
{
	count_added(view, STRANGERS_KEY, HOSTRECORD_PREFIX, is_stranger,
	    STRANGERS_MAX);
}

void
sweep_turns(struct statefile_view *view, const char *prefix)
{
	count_added(view, TURNS_KEY, prefix, NULL, TURNS_MAX);
}

void
sweep_tallies(struct statefile_view *view)
{
	count_added(view, TALLIES_KEY, TALLY_PREFIX, NULL, TALLIES_MAX);
}
