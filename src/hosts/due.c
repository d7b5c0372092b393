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
	    g_strdup_printf(DUE_PREFIX HOSTRECORD_PREFIX "%s:%u", name, port);
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

gboolean
due_take(struct statefile_view *view, gint64 now, char **ret_name,
    guint16 *ret_port, guint *ret_count)
{
	g_autofree char *from = g_strdup(DUE_PREFIX);

	for (;;) {
		const void *value;
		gsize size;
		const char *found = statefile_seek(view, from, &value, &size);
		g_autofree char *key = g_strdup(found);
		struct due due = {0};

		if (key == NULL || !g_str_has_prefix(key, DUE_PREFIX))
			return FALSE;
		if (size == sizeof(due))
			memcpy(&due, value, sizeof(due));
		if (is_over(&due, now)) {
			statefile_delete(view, key);
			if (hostrecord_parse_key(key + strlen(DUE_PREFIX),
				ret_name, ret_port)) {
				*ret_count = due.count;
				return TRUE;
			}
		}
		g_free(from);
		from = statefile_after(key);
	}
}
