/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/nexthop.h"
#include "ctl/postconf.h"
#include "ctl/queue/taker.h"
#include "ctl/tables.h"
#include "ctl/transport.h"

struct taker {
	GPtrArray *services;
	const char *conf;
	char **maps; /* of transport_maps */
	char *rest;  /* the nexthop of what they do not have; NULL: it is
		      * not ours */
};

static gboolean
is_reader(const struct service *service, const char *conf)
{
	return (service_is_ours(service) || service_speaks_lmtp(service)) &&
	    service_reads(service, conf);
}

static guint
count_readers(const struct taker *taker)
{
	guint count = 0;

	for (guint i = 0; i < taker->services->len; i++)
		count += is_reader(taker->services->pdata[i], taker->conf);
	return count;
}

/* Is it the socket of the service: "unix:private/name" or "inet:name"? */
static gboolean
is_socket(const char *text, const struct service *service)
{
	gsize type = strlen(service->type);
	const char *path;

	if (strncmp(text, service->type, type) != 0 || text[type] != ':')
		return FALSE;
	path = text + type + 1;
	if (strcmp(service->type, "unix") == 0 && strchr(path, '/') != NULL)
		path = strrchr(path, '/') + 1;
	return strcmp(path, service->name) == 0;
}

/*
 * The nexthop in "service:nexthop", lower case as pipe(8) passes it on; for
 * "lmtp:" and a socket "".  NULL: that is no service of ours.  A new string.
 */
static char *
nexthop_in(const struct taker *taker, const char *value)
{
	g_auto(GStrv) parts = g_strsplit(value, ":", 2);
	const char *rest = parts[0] != NULL && parts[1] != NULL ? parts[1] : "";

	for (guint i = 0; parts[0] != NULL && i < taker->services->len; i++) {
		const struct service *service = taker->services->pdata[i];

		if (!is_reader(service, taker->conf))
			continue;
		if (service_is_ours(service)) {
			if (strcmp(parts[0], service->name) == 0)
				return g_ascii_strdown(rest, -1);
		} else if (is_socket(rest, service)) {
			return g_strdup("");
		}
	}
	return NULL;
}

/* Of the parameters for whatever has no entry in transport_maps. */
static char *
find_rest(const struct taker *taker)
{
	static const char *const names[] = {"relay_transport",
	    "default_transport"};
	char *found = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(names) && found == NULL; i++) {
		g_autofree char *value =
		    postconf_value(NULL, names[i], TRUE, NULL);

		found = value == NULL ? NULL : nexthop_in(taker, value);
	}
	return found;
}

struct taker *
taker_new(const char *conf, GError **error)
{
	g_autoptr(Taker) taker = g_new0(struct taker, 1);
	g_autofree char *value =
	    postconf_value(NULL, "transport_maps", TRUE, error);

	taker->conf = conf;
	if (value == NULL)
		return NULL;
	taker->maps = transport_split(value);
	taker->services = postconf_services(NULL, error);
	if (taker->services == NULL)
		return NULL;
	if (count_readers(taker) == 0) {
		g_set_error(error, COMMAND_ERROR, COMMAND_ERROR_FAILED,
		    "master.cf: no service runs smtproute with the settings "
		    "in %s",
		    conf);
		return NULL;
	}
	taker->rest = find_rest(taker);
	return g_steal_pointer(&taker);
}

gboolean
taker_ask(const struct taker *taker, const GPtrArray *domains,
    GPtrArray **ret_nexthops, GError **error)
{
	g_autoptr(GPtrArray) keys =
	    g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	g_autoptr(GPtrArray) nexthops = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(Tables) tables = tables_new();

	for (guint i = 0; i < domains->len; i++)
		g_ptr_array_add(keys, nexthop_keys(domains->pdata[i]));
	for (gsize i = 0; taker->maps[i] != NULL; i++)
		nexthop_ask(tables, taker->maps[i], keys);
	for (guint i = 0; i < keys->len; i++) {
		struct nexthop_entry entry;
		g_autofree char *value = NULL;

		if (!nexthop_look_up(tables, taker->maps, keys->pdata[i],
			&entry, error))
			return FALSE;
		value = entry.value;
		g_ptr_array_add(nexthops,
		    value != NULL ? nexthop_in(taker, value)
				  : g_strdup(taker->rest));
	}
	*ret_nexthops = g_steal_pointer(&nexthops);
	return TRUE;
}

void
taker_free(struct taker *taker)
{
	g_clear_pointer(&taker->services, g_ptr_array_unref);
	g_strfreev(taker->maps);
	g_free(taker->rest);
	g_free(taker);
}
