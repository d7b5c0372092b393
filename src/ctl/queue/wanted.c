/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/queue/wanted.h"

gboolean
wanted_route(const struct wanted *wanted, const char *route, const char *domain)
{
	for (int i = 0; i < wanted->count; i++) {
		if (g_ascii_strcasecmp(wanted->texts[i], route) == 0 ||
		    g_ascii_strcasecmp(wanted->texts[i], domain) == 0)
			return TRUE;
	}
	return wanted->count == 0;
}

/* @text without brackets, lower case; a new string. */
static char *
plain(const char *text)
{
	g_auto(GStrv) parts = g_strsplit_set(text, "[]", -1);
	g_autofree char *joined = g_strjoinv("", parts);

	return g_ascii_strdown(joined, -1);
}

gboolean
wanted_host(const struct wanted *wanted, const char *host)
{
	g_autofree char *whole = NULL;
	const char *colon;

	if (wanted->count == 0 || host == NULL)
		return wanted->count == 0;
	whole = plain(host);
	colon = strrchr(whole, ':');
	for (int i = 0; i < wanted->count; i++) {
		g_autofree char *text = plain(wanted->texts[i]);
		gsize length = strlen(text);

		if (strcmp(text, whole) == 0 ||
		    (colon != NULL && length == (gsize)(colon - whole) &&
			strncmp(text, whole, length) == 0))
			return TRUE;
	}
	return FALSE;
}
