/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routes as text again.
 */
#ifndef SMTPROUTE_T_FUZZ_PRINTED_H
#define SMTPROUTE_T_FUZZ_PRINTED_H

#include "fuzz/fuzz.h"
#include "route/route.h"

static inline void
printed_rates(GString *text, const char *name, const struct rates *rates)
{
	g_autofree char *shown = rates_text(rates, "+");

	if (rates->set)
		g_string_append_printf(text, "/%s=%s", name, shown);
}

static inline void
printed_destination(GString *text, const struct destination *destination)
{
	gboolean bare = destination->kind == DESTINATION_NAME;

	g_string_append_printf(text, bare ? "%s" : "[%s]", destination->name);
	g_string_append_printf(text, ":%u/pri=%u/weight=%u", destination->port,
	    destination->priority, destination->weight);
	if (destination->tls != TLS_UNSET)
		g_string_append_printf(text, "/tls=%s",
		    tls_level_name(destination->tls));
	if (destination->auth != NULL)
		g_string_append_printf(text, "/auth=%s", destination->auth);
	if (destination->bind != NULL)
		g_string_append_printf(text, "/bind=%s", destination->bind);
	if (destination->tls_name != NULL)
		g_string_append_printf(text, "/tls-name=%s",
		    destination->tls_name);
	printed_rates(text, "rate", &destination->rate);
	printed_rates(text, "rate-recipients", &destination->rate_recipients);
	g_string_append(text, destination->drain ? "/drain" : "");
	g_string_append(text, destination->verify ? "/verify" : "");
}

/* In the one form that says everything; a new string. */
static inline char *
printed_route(const struct route *route)
{
	GString *text = g_string_new(NULL);

	if (route->kind == ROUTE_DNS)
		g_string_append(text, ROUTE_KEYWORD_DNS);
	else if (route->kind == ROUTE_DISCARD)
		g_string_append(text, "/dev/null");
	for (guint i = 0; i < route->destinations->len; i++) {
		g_string_append(text, i > 0 ? ", " : "");
		printed_destination(text, route->destinations->pdata[i]);
	}
	return g_string_free(text, FALSE);
}

/* It is a line, and a route that is printed the same. */
static inline void
printed_assert_same(const struct route *route)
{
	const struct route_origin origin = {"printed", 1, 1};
	g_autofree char *text = printed_route(route);
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) again = NULL;
	g_autofree char *text_again = NULL;

	fuzz_assert_line(text);
	again = route_parse(text, strlen(text), &origin, &error);
	g_assert_no_error(error);
	text_again = printed_route(again);
	g_assert_cmpstr(text_again, ==, text);
}

#endif
