/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include <lmdb.h>

#include "hosts/hostrecord.h"
#include "hosts/rescue.h"
#include "util/guard.h"

/* More than anybody drains; a damaged file may go in circles. */
#define ORDERS_MAX 10000
#define LOOK_MAX   1000000

struct reading {
	const char *path;
	const char *layout_key;
	const char *layout;
	GPtrArray *orders;
};

static void
rescued_free(void *data)
{
	struct rescued *rescued = data;

	g_free(rescued->key);
	g_bytes_unref(rescued->value);
	g_free(rescued);
}

static gboolean
is_text(const MDB_val *value)
{
	return value->mv_size > 0 &&
	    memchr(value->mv_data, '\0', value->mv_size) ==
	    (const char *)value->mv_data + value->mv_size - 1;
}

static void
keep_order(GPtrArray *orders, const MDB_val *key, const MDB_val *value)
{
	g_autofree char *name = NULL;
	struct hostrecord record;
	struct rescued *rescued;
	guint16 port;

	if (value->mv_size != sizeof(record))
		return;
	memcpy(&record, value->mv_data, sizeof(record));
	/* Noise in its place is no order: a host would get no mail. */
	if (record.drained != TRUE ||
	    !hostrecord_parse_key(key->mv_data, &name, &port))
		return;
	rescued = g_new(struct rescued, 1);
	rescued->key = g_strdup(key->mv_data);
	rescued->value = g_bytes_new(value->mv_data, value->mv_size);
	g_ptr_array_add(orders, rescued);
}

static void
read_orders(const struct reading *reading, MDB_cursor *cursor)
{
	static const char prefix[] = HOSTRECORD_PREFIX;
	MDB_val key = {.mv_size = sizeof(prefix),
	    .mv_data = (void *)(guintptr)prefix};
	MDB_val value;
	int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);

	for (guint i = 0;
	     code == 0 && i < LOOK_MAX && reading->orders->len < ORDERS_MAX;
	     i++) {
		if (!is_text(&key) || !g_str_has_prefix(key.mv_data, prefix))
			return;
		keep_order(reading->orders, &key, &value);
		code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
}

static void
read_layout(const struct reading *reading, MDB_txn *txn, MDB_dbi dbi)
{
	MDB_val key = {.mv_size = strlen(reading->layout_key) + 1,
	    .mv_data = (void *)(guintptr)reading->layout_key};
	MDB_val value;
	MDB_cursor *cursor;

	if (mdb_get(txn, dbi, &key, &value) != 0 || !is_text(&value) ||
	    strcmp(value.mv_data, reading->layout) != 0 ||
	    mdb_cursor_open(txn, dbi, &cursor) != 0)
		return;
	read_orders(reading, cursor);
	mdb_cursor_close(cursor);
}

/* For guard_try(). */
static void
read_file(void *data)
{
	const struct reading *reading = data;
	unsigned flags = MDB_NOSUBDIR | MDB_NOLOCK | MDB_NORDAHEAD | MDB_RDONLY;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	if (mdb_env_create(&env) != 0)
		return;
	if (mdb_env_open(env, reading->path, flags, 0) == 0 &&
	    mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0) {
		if (mdb_dbi_open(txn, NULL, 0, &dbi) == 0)
			read_layout(reading, txn, dbi);
		mdb_txn_abort(txn);
	}
	mdb_env_close(env);
}

GPtrArray *
rescue_orders(const char *path, const char *layout_key, const char *layout)
{
	struct reading reading = {
	    .path = path,
	    .layout_key = layout_key,
	    .layout = layout,
	    .orders = g_ptr_array_new_with_free_func(rescued_free),
	};

	guard_try(read_file, &reading);
	return reading.orders;
}

void
rescue_restore(struct statefile_view *view, const GPtrArray *orders)
{
	for (guint i = 0; i < orders->len; i++) {
		const struct rescued *rescued = g_ptr_array_index(orders, i);

		statefile_put(view, rescued->key,
		    g_bytes_get_data(rescued->value, NULL),
		    g_bytes_get_size(rescued->value));
	}
}
