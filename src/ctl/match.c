/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "address/domain.h"
#include "ctl/match.h"
#include "route/routemap.h"
#include "util/printable.h"

/* As much of a key as is shown; no domain is longer. */
#define KEY_SHOWN 260

const char *
match_why(const struct route *route, const char *nexthop, const char *domain)
{
	const char *key = route->key;

	if (key == NULL)
		return "the nexthop is itself a route";
	if (!routemap_looks_up(nexthop, domain))
		return "the nexthop is the name of this route";
	if (strcmp(key, "*") == 0 || g_ascii_strcasecmp(key, "ALL") == 0)
		return "the default, since no other key fits";
	if (key[0] == '.')
		return "a subdomain of it; longer keys come first";
	return "the domain itself";
}

/* As an A-label what would not be printable. */
static char *
shown_key(const char *key)
{
	const char *dot = key[0] == '.' ? "." : "";
	g_autofree char *domain = NULL;

	if (!g_str_is_ascii(key))
		domain = domain_canonical(key + strlen(dot), NULL);
	return domain != NULL ? g_strconcat(dot, domain, NULL)
			      : printable(key, KEY_SHOWN);
}

char *
match_where(const struct route *route, const char *path)
{
	g_autofree char *key = NULL;

	if (route->key == NULL)
		return g_strdup("inline route");
	key = shown_key(route->key);
	if (route->line == 0)
		return g_strdup_printf("%s, %s", key, path);
	return g_strdup_printf("%s, %s:%u", key, path, route->line);
}

char *
match_keys(const char *nexthop, const char *domain)
{
	g_autoptr(GString) keys = NULL;
	const char *dot;

	if (!routemap_looks_up(nexthop, domain))
		return printable(nexthop, KEY_SHOWN);
	keys = g_string_new(domain);
	dot = strchr(domain, '.');
	/* An address literal has no parents. */
	for (; domain[0] != '[' && dot != NULL; dot = strchr(dot + 1, '.'))
		g_string_append_printf(keys, ", %s", dot);
	g_string_append(keys, ", *");
	return g_strdup(keys->str);
}
