/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/ctl.h"
#include "ctl/nexthop.h"
#include "ctl/postconf.h"
#include "ctl/tables.h"
#include "ctl/transport.h"

GPtrArray *
nexthop_keys(const char *domain)
{
	GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(keys, g_strconcat("postmaster@", domain, NULL));
	g_ptr_array_add(keys, g_strdup(domain));
	for (const char *dot = strchr(domain, '.');
	     domain[0] != '[' && dot != NULL; dot = strchr(dot + 1, '.'))
		g_ptr_array_add(keys, g_strdup(dot));
	g_ptr_array_add(keys, g_strdup("*"));
	g_ptr_array_add(keys, NULL);
	return keys;
}

gboolean
nexthop_wants_address(const char *table)
{
	static const char *const types[] = {"pcre:", "regexp:", "socketmap:",
	    "tcp:"};

	while (g_str_has_prefix(table, "proxy:"))
		table += strlen("proxy:");
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		if (g_str_has_prefix(table, types[i]))
			return TRUE;
	}
	return FALSE;
}

/* All keys in one run, which counts where a text has a million lines. */
static void
ask_all(struct tables *tables, char *const *maps, const GPtrArray *keys)
{
	for (; *maps != NULL; maps++) {
		if (!nexthop_wants_address(*maps))
			tables_ask(tables, *maps,
			    (const char *const *)keys->pdata);
	}
}

/* The first map that has @key.  FALSE: one before it cannot be asked. */
static gboolean
find_key(struct tables *tables, char *const *maps, const char *key,
    const char **ret_map, char **ret_value, GError **error)
{
	*ret_value = NULL;
	for (; *maps != NULL && *ret_value == NULL; maps++) {
		if (nexthop_wants_address(*maps) && strchr(key, '@') == NULL &&
		    strcmp(key, "*") != 0)
			continue;
		*ret_map = *maps;
		if (!tables_look_up(tables, *maps, key, ret_value, error))
			return FALSE;
	}
	return TRUE;
}

/* Is it the name of a service of ours? */
static gboolean
is_ours(const char *name)
{
	g_autoptr(GPtrArray) services = postconf_services(NULL, NULL);
	const struct service *service =
	    services == NULL ? NULL : postconf_find(services, name, "unix");

	return service != NULL && service_is_ours(service);
}

/* Of "service:text"; NULL: see nexthop_find(). */
static struct nexthop *
make(const char *table, const char *key, const char *value)
{
	g_auto(GStrv) parts = g_strsplit(value, ":", 2);
	struct nexthop *nexthop;

	if (parts[0] == NULL || parts[1] == NULL || parts[1][0] == '\0' ||
	    !is_ours(parts[0]))
		return NULL;
	nexthop = g_new(struct nexthop, 1);
	nexthop->table = g_strdup(table);
	nexthop->key = g_strdup(key);
	nexthop->text = g_ascii_strdown(parts[1], -1);
	return nexthop;
}

struct nexthop *
nexthop_find(const char *domain, GError **error)
{
	g_autoptr(GPtrArray) keys = nexthop_keys(domain);
	g_autoptr(GError) reason = NULL;
	g_autoptr(Tables) tables = tables_new();
	g_autofree char *value = NULL;
	g_auto(GStrv) maps = NULL;

	if (!ctl_has_postfix())
		return NULL;
	value = postconf_value(NULL, "transport_maps", TRUE, &reason);
	if (value == NULL) {
		if (!g_error_matches(reason, COMMAND_ERROR,
			COMMAND_ERROR_MISSING))
			g_propagate_error(error, g_steal_pointer(&reason));
		return NULL;
	}
	maps = transport_split(value);
	ask_all(tables, maps, keys);
	for (guint i = 0; keys->pdata[i] != NULL; i++) {
		g_autofree char *found = NULL;
		const char *key = keys->pdata[i];
		const char *map = NULL;

		if (!find_key(tables, maps, key, &map, &found, error))
			return NULL;
		if (found != NULL)
			return make(map, key, found);
	}
	return NULL;
}

void
nexthop_free(struct nexthop *nexthop)
{
	g_free(nexthop->table);
	g_free(nexthop->key);
	g_free(nexthop->text);
	g_free(nexthop);
}
