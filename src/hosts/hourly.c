/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "hosts/hourly.h"

#define HOUR (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)

static gint64
hour_of(gint64 now)
{
	return MAX(now, 0) / HOUR;
}

/* What is too old by then is forgotten. */
static void
advance(struct hourly *hourly, gint64 hour)
{
	gint64 passed = hour - hourly->head;

	if (passed >= HOURLY_HOURS || passed <= -HOURLY_HOURS) {
		memset(hourly->counts, 0, sizeof(hourly->counts));
		hourly->head = hour;
	}
	while (hourly->head < hour) {
		hourly->head++;
		memset(hourly->counts[hourly->head % HOURLY_HOURS], 0,
		    sizeof(hourly->counts[0]));
	}
}

void
hourly_add(struct hourly *hourly, gint64 now, enum hourly_kind kind,
    guint64 count)
{
	gint64 hour = hour_of(now);
	guint32 *counted = &hourly->counts[hour % HOURLY_HOURS][kind];

	if (count == 0)
		return;
	advance(hourly, hour);
	*counted += (guint32)MIN(count, G_MAXUINT32 - *counted);
}

guint32
hourly_get(const struct hourly *hourly, gint64 now, guint ago,
    enum hourly_kind kind)
{
	gint64 hour = hour_of(now) - ago;

	if (hour < 0 || hour > hourly->head ||
	    hour <= hourly->head - HOURLY_HOURS)
		return 0;
	return hourly->counts[hour % HOURLY_HOURS][kind];
}
