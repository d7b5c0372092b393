/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "hosts/stateview.h"
#include "util/decimal.h"

gboolean
stateview_note(struct statefile_view *view, int code)
{
	if (code != 0 && view->code == 0)
		view->code = code;
	return code == 0;
}

static MDB_val
key_val(const char *key)
{
	return (MDB_val){.mv_size = strlen(key) + 1,
	    .mv_data = (void *)(guintptr)key};
}

const void *
statefile_get_any(struct statefile_view *view, const char *key, gsize *size)
{
	MDB_val name = key_val(key);
	MDB_val value;
	int code;

	if (view->code != 0)
		return NULL;
	code = mdb_get(view->txn, view->dbi, &name, &value);
	if (code == MDB_NOTFOUND || !stateview_note(view, code))
		return NULL;
	*size = value.mv_size;
	return value.mv_data;
}

const void *
statefile_get(struct statefile_view *view, const char *key, gsize size)
{
	gsize found;
	const void *value = statefile_get_any(view, key, &found);

	return value != NULL && found == size ? value : NULL;
}

void
statefile_put(struct statefile_view *view, const char *key, const void *value,
    gsize size)
{
	MDB_val name = key_val(key);
	MDB_val val = {.mv_size = size, .mv_data = (void *)(guintptr)value};

	if (view->code == 0)
		stateview_note(view,
		    mdb_put(view->txn, view->dbi, &name, &val, 0));
}

void
statefile_delete(struct statefile_view *view, const char *key)
{
	MDB_val name = key_val(key);
	int code;

	if (view->code != 0)
		return;
	code = mdb_del(view->txn, view->dbi, &name, NULL);
	if (code != MDB_NOTFOUND)
		stateview_note(view, code);
}

const char *
statefile_seek(struct statefile_view *view, const char *from,
    const void **value, gsize *size)
{
	MDB_val name = key_val(from);
	MDB_val val;
	MDB_cursor *cursor;
	int code;

	if (view->code != 0 ||
	    !stateview_note(view,
		mdb_cursor_open(view->txn, view->dbi, &cursor)))
		return NULL;
	code = mdb_cursor_get(cursor, &name, &val, MDB_SET_RANGE);
	mdb_cursor_close(cursor);
	if (code == MDB_NOTFOUND || !stateview_note(view, code))
		return NULL;
	/* Keys that do not ascend would have the caller go round and round. */
	if (name.mv_size == 0 ||
	    ((const char *)name.mv_data)[name.mv_size - 1] != '\0' ||
	    strcmp(name.mv_data, from) < 0) {
		stateview_note(view, MDB_CORRUPTED);
		return NULL;
	}
	*value = val.mv_data;
	*size = val.mv_size;
	return name.mv_data;
}

char *
statefile_host_key(const char *prefix, const char *name, guint16 port)
{
	char number[DECIMAL_SIZE];

	return g_strconcat(prefix, name, ":", decimal(port, number), NULL);
}

char *
statefile_after(const char *key)
{
	/* No key has a byte as small as this. */
	return g_strconcat(key, "\001", NULL);
}
