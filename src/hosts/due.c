/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "hosts/due.h"
#include "hosts/hostrecord.h"
#include "util/rate.h"

#define DUE_PREFIX "due "

void
due_set(struct statefile_view *view, const char *name, guint16 port,
    const struct due *due)
{
	g_autofree char *key =
	    statefile_host_key(DUE_PREFIX HOSTRECORD_PREFIX, name, port);
	struct due copy;

	memset(&copy, 0, sizeof(copy));
	copy.time = due->time;
	copy.count = due->count;
	statefile_put(view, key, &copy, sizeof(copy));
}

/* What is too far ahead was set before the machine was restarted. */
static gboolean
is_over(const struct due *due, gint64 now)
{
	return due->time <= now || due->time - RATE_SPAN_MAX > now;
}

/*
 * The key of the first host from the key @from on that is due, a new string;
 * NULL: there is none.
 */
static char *
find(struct statefile_view *view, const char *from, gint64 now, struct due *due)
{
	g_autofree char *next = g_strdup(from);

	for (;;) {
		const void *value;
		gsize size;
		const char *found = statefile_seek(view, next, &value, &size);

		if (found == NULL || !g_str_has_prefix(found, DUE_PREFIX))
			return NULL;
		memset(due, 0, sizeof(*due));
		if (size == sizeof(*due))
			memcpy(due, value, sizeof(*due));
		if (is_over(due, now))
			return g_strdup(found);
		g_free(next);
		next = statefile_after(found);
	}
}

gboolean
due_any(struct statefile_view *view, gint64 now)
{
	struct due due;
	g_autofree char *key = find(view, DUE_PREFIX, now, &due);

	return key != NULL;
}

gboolean
due_take(struct statefile_view *view, gint64 now, char **ret_name,
    guint16 *ret_port, guint *ret_count)
{
	g_autofree char *from = g_strdup(DUE_PREFIX);

	for (;;) {
		struct due due;
		g_autofree char *key = find(view, from, now, &due);

		if (key == NULL)
			return FALSE;
		statefile_delete(view, key);
		if (hostrecord_parse_key(key + strlen(DUE_PREFIX), ret_name,
			ret_port)) {
			*ret_count = due.count;
			return TRUE;
		}
		g_free(from);
		from = statefile_after(key);
	}
}
