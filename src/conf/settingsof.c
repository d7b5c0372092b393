/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the settings say of a host, a route, a profile.
 */
#include <config.h>

#include "conf/authname.h"
#include "conf/settings.h"

static void
overlay_timeouts(struct timeouts *to, const struct timeouts *from)
{
	if (from->connect != 0)
		to->connect = from->connect;
	if (from->greeting != 0)
		to->greeting = from->greeting;
	if (from->command != 0)
		to->command = from->command;
	if (from->data != 0)
		to->data = from->data;
	if (from->final != 0)
		to->final = from->final;
}

static void
overlay_tls(struct host_settings *to, const struct host_settings *from)
{
	if (from->tls != TLS_UNSET)
		to->tls = from->tls;
	if (from->tls_min_protocol != 0)
		to->tls_min_protocol = from->tls_min_protocol;
	if (from->tls_ca_file != NULL)
		to->tls_ca_file = from->tls_ca_file;
	if (from->tls_ciphers != NULL)
		to->tls_ciphers = from->tls_ciphers;
	if (from->tls_cert_file != NULL)
		to->tls_cert_file = from->tls_cert_file;
	if (from->tls_key_file != NULL)
		to->tls_key_file = from->tls_key_file;
	if (from->tls_name != NULL)
		to->tls_name = from->tls_name;
}

static void
overlay_dialogue(struct host_settings *to, const struct host_settings *from)
{
	if (from->auth_in_clear != ANSWER_UNSET)
		to->auth_in_clear = from->auth_in_clear;
	if (from->auth != NULL)
		to->auth = from->auth;
	if (from->bind != NULL)
		to->bind = from->bind;
	if (from->family != FAMILY_UNSET)
		to->family = from->family;
	if (from->helo_name != NULL)
		to->helo_name = from->helo_name;
	if (from->ehlo_ignore != NULL)
		to->ehlo_ignore = from->ehlo_ignore;
	if (from->line_limit != 0)
		to->line_limit = from->line_limit;
	if (from->transcript != ANSWER_UNSET)
		to->transcript = from->transcript;
	if (from->next_host_on != NULL)
		to->next_host_on = from->next_host_on;
}

static void
overlay_limits(struct host_settings *to, const struct host_settings *from)
{
	if (from->max_connections != 0)
		to->max_connections = from->max_connections;
	if (from->max_messages != 0)
		to->max_messages = from->max_messages;
	if (from->rate.set)
		to->rate = from->rate;
	if (from->rate_recipients.set)
		to->rate_recipients = from->rate_recipients;
}

/* What @from has set. */
static void
overlay(struct host_settings *to, const struct host_settings *from)
{
	overlay_timeouts(&to->timeouts, &from->timeouts);
	overlay_tls(to, from);
	overlay_dialogue(to, from);
	overlay_limits(to, from);
}

/* No name holds a blank, so nothing else looks like a name and its port. */
char *
settings_host_id(const char *name, guint port)
{
	return g_strdup_printf("%s %u", name, port);
}

gboolean
settings_have_hosts(const struct settings *settings)
{
	return g_hash_table_size(settings->hosts) > 0;
}

struct host_settings
settings_host(const struct settings *settings, const char *name, guint16 port)
{
	const guint ports[] = {0, port};
	struct host_settings result = settings->defaults;

	/* A check asks for millions. */
	if (!settings_have_hosts(settings))
		return result;
	for (gsize i = 0; i < G_N_ELEMENTS(ports); i++) {
		g_autofree char *id = settings_host_id(name, ports[i]);
		const struct host_settings *host =
		    g_hash_table_lookup(settings->hosts, id);

		if (host != NULL)
			overlay(&result, host);
	}
	return result;
}

gboolean
settings_have_route(const struct settings *settings, const char *key)
{
	g_autofree char *id = NULL;

	if (g_hash_table_size(settings->routes_apart) == 0)
		return FALSE;
	id = choosing_id(key);
	return g_hash_table_contains(settings->routes_apart, id);
}

struct choosing
settings_choosing(const struct settings *settings, const char *key)
{
	struct choosing result = settings->choosing;
	const struct choosing *route;
	g_autofree char *id = NULL;

	if (key == NULL || g_hash_table_size(settings->routes_apart) == 0)
		return result;
	id = choosing_id(key);
	route = g_hash_table_lookup(settings->routes_apart, id);
	if (route != NULL)
		choosing_overlay(&result, route);
	return result;
}

gboolean
settings_have_leastconn(const struct settings *settings)
{
	GHashTableIter routes;
	void *route;

	if (settings->choosing.balance == BALANCE_LEASTCONN)
		return TRUE;
	g_hash_table_iter_init(&routes, settings->routes_apart);
	while (g_hash_table_iter_next(&routes, NULL, &route)) {
		if (((const struct choosing *)route)->balance ==
		    BALANCE_LEASTCONN)
			return TRUE;
	}
	return FALSE;
}

const struct auth_profile *
settings_auth(const struct settings *settings, const char *name)
{
	g_autofree char *id = authname_canonical(name);

	return g_hash_table_lookup(settings->profiles, id);
}
