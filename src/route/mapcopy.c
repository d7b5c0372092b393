/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <string.h>

#include "route/mapcopy.h"
#include "route/maplmdb.h"
#include "route/routemap.h"
#include "util/slurp.h"

/* What is read in a step takes a millisecond or two. */
#define STEP_ENTRIES 5000

struct copying {
	GByteArray *records;
	gsize last; /* where the last key is, behind its length */
	gsize last_length;
};

/* LMDB's own order; in a damaged tree a walk may go round and round. */
static gboolean
is_behind(const struct copying *copying, const MDB_val *key)
{
	const guint8 *last = copying->records->data + copying->last;
	gsize common = MIN(copying->last_length, key->mv_size);
	int order;

	if (copying->records->len == 0)
		return TRUE;
	order = memcmp(key->mv_data, last, common);
	return order != 0 ? order > 0 : key->mv_size > copying->last_length;
}

/* Returns an errno or one of LMDB's numbers. */
static int
add(struct copying *copying, const MDB_val *key, const MDB_val *value)
{
	const struct maptext_record record = {
	    .key_length = (guint32)key->mv_size,
	    .value_length = (guint32)value->mv_size,
	};
	GByteArray *to = copying->records;

	if (!is_behind(copying, key))
		return MDB_CORRUPTED;
	if (value->mv_size > MAPCOPY_INDEX_MAX - to->len ||
	    to->len + sizeof(record) + key->mv_size + value->mv_size >
		MAPCOPY_INDEX_MAX)
		return EFBIG;
	g_byte_array_append(to, (const guint8 *)&record, sizeof(record));
	copying->last = to->len;
	copying->last_length = key->mv_size;
	g_byte_array_append(to, key->mv_data, (guint)key->mv_size);
	g_byte_array_append(to, value->mv_data, (guint)value->mv_size);
	return 0;
}

/* A maplmdb_step. */
static int
copy_some(MDB_cursor *cursor, gboolean first, gboolean *more, void *data)
{
	struct copying *copying = data;
	MDB_val key;
	MDB_val value;
	int code = 0;

	if (first)
		g_byte_array_set_size(copying->records, 0);
	for (guint i = 0; i < STEP_ENTRIES && code == 0; i++) {
		code = mdb_cursor_get(cursor, &key, &value,
		    first && i == 0 ? MDB_FIRST : MDB_NEXT);
		if (code == 0)
			code = add(copying, &key, &value);
	}
	*more = code == 0;
	return code;
}

static char *
copy_index(const char *map, GBytes **ret_copy)
{
	struct copying copying = {.records = g_byte_array_new()};
	char *reason = maplmdb_read(map, copy_some, &copying);

	if (reason == NULL)
		*ret_copy = g_byte_array_free_to_bytes(copying.records);
	else
		g_byte_array_free(copying.records, TRUE);
	return reason;
}

static char *
copy_text(const char *path, GBytes **ret_copy)
{
	g_autofree char *reason = NULL;
	char *text = NULL;
	gsize length;

	reason = slurp(path, ROUTEMAP_SIZE_MAX, &text, &length);
	if (reason != NULL)
		return g_strdup_printf("%s: %s", path, reason);
	*ret_copy = g_bytes_new_take(text, length);
	return NULL;
}

GBytes *
mapcopy_read(const char *path, GError **error)
{
	GBytes *copy = NULL;
	g_autofree char *reason =
	    (maplmdb_is(path) ? copy_index : copy_text)(path, &copy);

	if (reason != NULL)
		g_set_error_literal(error, ROUTEMAP_ERROR, ROUTEMAP_ERROR_FILE,
		    reason);
	return copy;
}

void
mapcopy_begin(const char *path, GBytes *copy, struct maptext *walk)
{
	gsize length;
	const char *at = g_bytes_get_data(copy, &length);

	if (maplmdb_is(path))
		maptext_begin_records(walk, at, length);
	else
		maptext_begin(walk, at, length);
}
