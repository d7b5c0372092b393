/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "ctl/hosts/machine.h"
#include "util/printable.h"

/* Longer than every name and every error that is remembered. */
#define TEXT_MAX 1000

void
machine_text(GString *to, const char *text)
{
	g_autofree char *shown = printable(text, TEXT_MAX);

	g_string_append_c(to, '"');
	for (const char *p = shown; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			g_string_append_c(to, '\\');
		g_string_append_c(to, *p);
	}
	g_string_append_c(to, '"');
}

void
machine_seconds(GString *to, guint64 microseconds)
{
	g_string_append_printf(to, "%" G_GUINT64_FORMAT ".%06u",
	    microseconds / G_USEC_PER_SEC,
	    (guint)(microseconds % G_USEC_PER_SEC));
}
