/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "unit/routetext.h"

struct route *
routetext_parse(const char *text, gsize length, unsigned line, unsigned column,
    GError **error)
{
	const struct route_origin origin = {"test", line, column};
	g_autofree char *copy = g_malloc(MAX(length, 1));

	memcpy(copy, text, length);
	return route_parse(copy, length, &origin, error);
}
