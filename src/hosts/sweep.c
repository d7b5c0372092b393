/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "hosts/hostrecord.h"
#include "hosts/sweep.h"

#define FORGET_AFTER (G_GINT64_CONSTANT(7) * 86400 * G_USEC_PER_SEC)

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
is_old(const char *key, const void *value, gsize size)
{
	gint64 seen;

	if (size < sizeof(seen))
		return TRUE;
	memcpy(&seen, value, sizeof(seen));
	if (seen >= g_get_real_time() - FORGET_AFTER)
		return FALSE;
	return !g_str_has_prefix(key, HOSTRECORD_PREFIX) ||
	    !is_drained(value, size);
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
