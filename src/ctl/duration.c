/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "ctl/duration.h"

static char *
words(gint64 seconds, gboolean up)
{
	static const struct unit {
		const char *name;
		gint64 seconds;
		gint64 from; /* seconds, too: "1 h" would be coarse */
	} units[] = {
	    {"days", 86400, 2 * 86400},
	    {"h", 3600, 6000},
	    {"min", 60, 120},
	    {"s", 1, 0},
	};
	guint i = 0;

	while (seconds < units[i].from)
		i++;
	seconds += up ? units[i].seconds - 1 : units[i].seconds / 2;
	return g_strdup_printf("%" G_GINT64_FORMAT " %s",
	    seconds / units[i].seconds, units[i].name);
}

char *
duration_words(gint64 span)
{
	return words(span / G_USEC_PER_SEC, FALSE);
}

char *
duration_words_up(gint64 span)
{
	return words((span + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC, TRUE);
}
