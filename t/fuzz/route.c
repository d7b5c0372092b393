/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routes: what is one is printed and read again as the same, what is none has
 * a place in the text.
 */
#include <config.h>

#include "fuzz/printed.h"

static void
check_destination(const struct destination *destination)
{
	g_assert_cmpuint(destination->port, >, 0);
	g_assert_cmpuint(destination->weight, >=, 1);
	g_assert_cmpuint(destination->weight, <=, 1000);
	fuzz_assert_line(destination->name);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	const struct route_origin origin = {"routes", 7, 3};
	/* Bytes behind the text are not its own: sanitizers see them read. */
	g_autofree char *copy = g_memdup2(data, size);
	const char *text = size > 0 ? copy : "";
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) route = route_parse(text, size, &origin, &error);

	if (route == NULL) {
		fuzz_assert_error(error);
		g_assert_true(g_str_has_prefix(error->message, "routes:"));
		g_assert_nonnull(strstr(error->message, "; expected "));
		return 0;
	}
	g_assert_no_error(error);
	g_assert_true(
	    (route->kind == ROUTE_HOSTS) == (route->destinations->len > 0));
	g_assert_cmpuint(route->destinations->len, <=, ROUTE_DESTINATIONS_MAX);
	for (guint i = 0; i < route->destinations->len; i++)
		check_destination(route->destinations->pdata[i]);
	printed_assert_same(route);
	return 0;
}
