/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/serve/html.h"
#include "util/printable.h"

/* Longer than every name and every error that is remembered. */
#define TEXT_MAX 400

/* U+202F, narrow no-break space. */
#define GAP "&#8239;"

void
html_text(GString *to, const char *text)
{
	g_autofree char *line = printable(text, TEXT_MAX);
	g_autofree char *escaped = g_markup_escape_text(line, -1);

	g_string_append(to, escaped);
}

void
html_count(GString *to, guint64 count)
{
	g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, count);
	gsize length = strlen(digits);

	for (gsize i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0 && length > 4)
			g_string_append(to, GAP);
		g_string_append_c(to, digits[i]);
	}
}

void
html_time(GString *to, gint64 time)
{
	gint64 now = g_get_real_time();
	g_autoptr(GDateTime) local =
	    g_date_time_new_from_unix_local(time / G_USEC_PER_SEC);
	g_autoptr(GDateTime) utc =
	    g_date_time_new_from_unix_utc(time / G_USEC_PER_SEC);
	gboolean today = ABS(now - time) < 12 * 3600 * (gint64)G_USEC_PER_SEC;
	g_autofree char *machine = NULL;
	g_autofree char *shown = NULL;

	/* No date has this year. */
	if (local == NULL || utc == NULL)
		return;
	machine = g_date_time_format(utc, "%Y-%m-%dT%H:%M:%SZ");
	shown = g_date_time_format(local, today ? "%H:%M" : "%Y-%m-%d %H:%M");
	g_string_append_printf(to, "<time datetime=\"%s\">%s</time>", machine,
	    shown);
}
