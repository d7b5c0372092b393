/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "hosts/hosttable.h"
#include "hosts/slots.h"
#include "hosts/statefile.h"
#include "util/ticket.h"

struct reading {
	const struct health_limits *limits;
	GPtrArray *rows;
};

struct ordering {
	const char *key;
	enum hosttable_order order;
	gboolean changed;
};

static void
row_free(void *data)
{
	struct hosttable_row *row = data;

	if (row->tally != NULL)
		tally_free(row->tally);
	g_free(row->name);
	g_free(row);
}

static void
add_tally(struct statefile_view *view, struct hosttable_row *row)
{
	const struct tally_time now = tally_now();
	gboolean known;

	row->tally = tally_load(view, row->name, row->port, &now, &known);
	if (known)
		tally_count_dead(row->tally, statefile_lock_fd(view));
	else
		g_clear_pointer(&row->tally, tally_free);
}

static void
add_row(struct statefile_view *view, const char *key, const void *value,
    const struct reading *reading)
{
	struct hosttable_row *row = g_new0(struct hosttable_row, 1);
	const struct health *health = &row->record.health;
	g_autofree char *connected = NULL;
	g_autofree char *waiting = NULL;

	hostrecord_load(&row->record, value);
	if (!hostrecord_parse_key(key, &row->name, &row->port)) {
		row_free(row);
		return;
	}
	row->wait = health_wait(health, reading->limits, health_now());
	row->probed = !health_is_up(health) && row->wait == 0 &&
	    health_is_probed(health, statefile_lock_fd(view), health_now());
	row->tls_hangs = hostrecord_tls_hangs(row->record.tls_hung,
	    health_now(), reading->limits->max);
	row->capacity = capacity_sessions(&row->record.capacity, health_now(),
	    reading->limits->max);
	connected = slots_connected_key(row->name, row->port);
	row->connected = slots_count(view, connected);
	waiting = slots_waiting_key(row->name, row->port);
	row->waiting = slots_count(view, waiting);
	add_tally(view, row);
	g_ptr_array_add(reading->rows, row);
}

static void
read_work(struct statefile_view *view, void *data)
{
	struct reading *reading = data;
	g_autofree char *from = g_strdup(HOSTRECORD_PREFIX);

	g_ptr_array_set_size(reading->rows, 0);
	for (;;) {
		const void *value;
		gsize size;
		const char *found = statefile_seek(view, from, &value, &size);
		g_autofree char *key = g_strdup(found);

		if (key == NULL || !g_str_has_prefix(key, HOSTRECORD_PREFIX))
			return;
		if (size == sizeof(struct hostrecord))
			add_row(view, key, value, reading);
		g_free(from);
		from = statefile_after(key);
	}
}

GPtrArray *
hosttable_read(const char *directory, const struct health_limits *limits,
    GError **error)
{
	g_autoptr(Statefile) file = statefile_new(directory);
	g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(row_free);
	struct reading reading = {limits, rows};
	g_autoptr(GError) reason = NULL;

	if (statefile_run(file, STATEFILE_READ, read_work, &reading, &reason) ||
	    g_error_matches(reason, STATEFILE_ERROR, STATEFILE_ERROR_ABSENT))
		return g_steal_pointer(&rows);
	g_propagate_error(error, g_steal_pointer(&reason));
	return NULL;
}

/* As if it had never failed.  FALSE: it is up, and its TLS does not hang. */
static gboolean
retry(struct hostrecord *record)
{
	gboolean hung = record->tls_hung > health_now();

	record->suspicion = (struct suspicion){0};
	memset(record->bad, 0, sizeof(record->bad));
	record->tls_hung = 0;
	return health_retry(&record->health) || hung;
}

/* FALSE: it was so already. */
static gboolean
change(struct hostrecord *record, enum hosttable_order order)
{
	gboolean drained = order == HOSTTABLE_DRAIN;

	if (order == HOSTTABLE_RETRY)
		return retry(record);
	if (record->drained == drained)
		return FALSE;
	record->drained = drained;
	if (!drained)
		retry(record);
	return TRUE;
}

static void
order_work(struct statefile_view *view, void *data)
{
	struct ordering *ordering = data;
	const void *value =
	    statefile_get(view, ordering->key, sizeof(struct hostrecord));
	struct hostrecord record;

	if (ordering->order == HOSTTABLE_FORGET) {
		ordering->changed = value != NULL;
		if (value != NULL)
			statefile_delete(view, ordering->key);
		return;
	}
	hostrecord_load(&record, value);
	ordering->changed = change(&record, ordering->order);
	if (!ordering->changed)
		return;
	record.seen = g_get_real_time();
	statefile_put(view, ordering->key, &record, sizeof(record));
}

gboolean
hosttable_order(const char *directory, const char *name, guint16 port,
    enum hosttable_order order, gboolean *ret_changed, GError **error)
{
	g_autoptr(Statefile) file = statefile_new(directory);
	g_autofree char *key = hostrecord_key(name, port);
	struct ordering ordering = {.key = key, .order = order};

	if (!statefile_run(file, STATEFILE_WRITE, order_work, &ordering, error))
		return FALSE;
	*ret_changed = ordering.changed;
	return TRUE;
}
