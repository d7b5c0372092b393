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
	transport_add_keys(keys, domain);
	g_ptr_array_add(keys, NULL);
	return keys;
}

/* Is the table asked for whole addresses only, and for "*"? */
static gboolean
wants_address(const char *table)
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

static gboolean
takes_key(const char *map, const char *key)
{
	return !wants_address(map) || strcmp(key, "*") == 0 ||
	    strchr(key, '@') != NULL;
}

static char *const *
keys_of(const GPtrArray *keys)
{
	return (char *const *)keys->pdata;
}

void
nexthop_ask(struct tables *tables, const char *map, const GPtrArray *all)
{
	g_autoptr(GPtrArray) some = g_ptr_array_new();

	for (guint i = 0; i < all->len; i++) {
		char *const *keys = keys_of(all->pdata[i]);

		for (; *keys != NULL; keys++) {
			if (takes_key(map, *keys))
				g_ptr_array_add(some, *keys);
		}
	}
	g_ptr_array_add(some, NULL);
	tables_ask(tables, map, (const char *const *)some->pdata);
}

gboolean
nexthop_look_up(struct tables *tables, char *const *maps, const GPtrArray *keys,
    struct nexthop_entry *ret, GError **error)
{
	*ret = (struct nexthop_entry){NULL, NULL, NULL};
	for (char *const *key = keys_of(keys); *key != NULL; key++) {
		for (gsize i = 0; maps[i] != NULL; i++) {
			if (!takes_key(maps[i], *key))
				continue;
			if (!tables_look_up(tables, maps[i], *key, &ret->value,
				error))
				return FALSE;
			ret->map = maps[i];
			ret->key = *key;
			if (ret->value != NULL)
				return TRUE;
		}
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
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	g_autoptr(GError) reason = NULL;
	g_autoptr(Tables) tables = tables_new();
	g_autofree char *value = NULL;
	g_autofree char *found = NULL;
	g_auto(GStrv) maps = NULL;
	struct nexthop_entry entry;

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
	g_ptr_array_add(all, keys);
	for (gsize i = 0; maps[i] != NULL; i++)
		nexthop_ask(tables, maps[i], all);
	if (!nexthop_look_up(tables, maps, keys, &entry, error) ||
	    entry.value == NULL)
		return NULL;
	found = entry.value;
	return make(entry.map, entry.key, found);
}

void
nexthop_free(struct nexthop *nexthop)
{
	g_free(nexthop->table);
	g_free(nexthop->key);
	g_free(nexthop->text);
	g_free(nexthop);
}
