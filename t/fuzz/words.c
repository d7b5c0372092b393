/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What bash completes: the hosts of routes and of the state's keys, as
 * smtproutectl(8) shows them, are words that a shell takes as they are.
 */
#include <config.h>

#include "address/domain.h"
#include "fuzz/fuzz.h"
#include "hosts/hostrecord.h"
#include "route/route.h"

/* As in contrib/smtproutectl.bash-completion, which leaves the rest out. */
#define HARMLESS "[].:_-"

static void
check_word(const char *name, guint16 port)
{
	g_autofree char *word = domain_with_port(name, port);

	g_assert_cmpstr(word, !=, "");
	for (const char *at = word; *at != '\0'; at++)
		g_assert_true(
		    g_ascii_isalnum(*at) || strchr(HARMLESS, *at) != NULL);
}

static void
check_key(const char *text)
{
	g_autofree char *key = g_strconcat(HOSTRECORD_PREFIX, text, NULL);
	g_autofree char *name = NULL;
	guint16 port;

	if (hostrecord_parse_key(key, &name, &port))
		check_word(name, port);
}

static void
check_route(const char *text)
{
	const struct route_origin origin = {"words", 1, 1};
	g_autoptr(Route) route = route_parse(text, strlen(text), &origin, NULL);

	if (route == NULL)
		return;
	for (guint i = 0; i < route->destinations->len; i++) {
		const struct destination *destination =
		    route->destinations->pdata[i];

		check_word(destination->name, destination->port);
	}
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autofree char *text = fuzz_string(data, size);

	check_key(text);
	check_route(text);
	return 0;
}
