/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What smtpd(8) accepts from outside is for Postfix's address classes alone,
 * whatever transport_maps has: domains with routes that are in none of them.
 */
#include <config.h>

#include <string.h>

#include "ctl/check/check-accepted.h"
#include "ctl/postconf.h"
#include "ctl/transport.h"
#include "route/mapcopy.h"
#include "route/mapkey.h"
#include "route/routemap.h"

/* How many domains a line names, and how many postmap(1) is asked for. */
#define DOMAINS_SHOWN 5
#define DOMAINS_ASKED 200

/* What smtpd(8) accepts (ADDRESS_CLASS_README); parents have subdomains, too.
 */
static const struct list {
	const char *name;
	gboolean parents;
} lists[] = {
    {"mydestination", FALSE},
    {"virtual_mailbox_domains", FALSE},
    {"virtual_alias_domains", FALSE},
    {"relay_domains", TRUE},
};

static gboolean
equals(const char *word, const char *domain, gboolean parents)
{
	gsize length = strlen(word);
	gsize whole = strlen(domain);

	if (g_ascii_strcasecmp(word, domain) == 0)
		return TRUE;
	if (!parents || length >= whole)
		return FALSE;
	/* "example.com" or ".example.com" in relay_domains. */
	return g_ascii_strcasecmp(domain + whole - length, word) == 0 &&
	    (word[0] == '.' || domain[whole - length - 1] == '.');
}

/* @domain, then where @parents each of them, until NULL. */
static const char *
next_name(const char *name, gboolean parents)
{
	const char *dot = parents ? strchr(name, '.') : NULL;

	return dot != NULL ? dot + 1 : NULL;
}

static gboolean
table_has(const struct check *check, const char *table, const char *domain,
    gboolean parents)
{
	for (; domain != NULL; domain = next_name(domain, parents)) {
		g_autofree char *value = NULL;

		/* What cannot be asked may have it. */
		if (!tables_look_up(check->tables, table, domain, &value,
			NULL) ||
		    value != NULL)
			return TRUE;
	}
	return FALSE;
}

/* A list as of domains(5), with tables; @parents: they match subdomains. */
static gboolean
list_has(const struct check *check, char *const *words, const char *domain,
    gboolean parents)
{
	for (gsize i = 0; words[i] != NULL; i++) {
		/* A file of patterns, or what is excluded. */
		if (words[i][0] == '/' || words[i][0] == '!')
			return TRUE;
		if (transport_is_table(words[i])
			? table_has(check, words[i], domain, parents)
			: equals(words[i], domain, parents))
			return TRUE;
	}
	return FALSE;
}

/* All that list_has() asks the list's tables for, at once. */
static void
ask_for(const struct check *check, char *const *words, const GPtrArray *domains,
    gboolean parents)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < domains->len; i++) {
		const char *name = domains->pdata[i];

		for (; name != NULL; name = next_name(name, parents))
			g_ptr_array_add(keys, g_strdup(name));
	}
	g_ptr_array_add(keys, NULL);
	for (; *words != NULL; words++) {
		if (transport_is_table(*words) && strchr("/!", **words) == NULL)
			tables_ask(check->tables, *words,
			    (const char *const *)keys->pdata);
	}
}

/*
 * A key that mail from outside comes for: a domain or its subdomains, with
 * hosts of our own.  USEDNS and hosts that want a login are others', to whom
 * we send.  A new string without the dot, NULL: the key is none.
 */
static char *
inbound_domain(const struct maptext_entry *entry, const char *path)
{
	g_autoptr(Route) route = routemap_parse(path, entry, NULL);
	g_autofree char *key = mapkey_of(entry);
	const char *domain = key;

	if (route == NULL || key == NULL || route->kind != ROUTE_HOSTS)
		return NULL;
	for (guint i = 0; i < route->destinations->len; i++) {
		const struct destination *destination =
		    route->destinations->pdata[i];

		if (destination->auth != NULL)
			return NULL;
	}
	if (domain[0] == '.')
		domain++;
	/* Without a dot it is a route's name. */
	if (domain[0] == '[' || domain[0] == '-' || strchr(domain, '.') == NULL)
		return NULL;
	return g_strdup(domain);
}

static void
say_refused(struct check *check, const GPtrArray *domains)
{
	g_autoptr(GString) shown = g_string_new(NULL);

	for (guint i = 0; i < MIN(domains->len, DOMAINS_SHOWN); i++)
		g_string_append_printf(shown, "%s%s", i > 0 ? ", " : "",
		    (const char *)domains->pdata[i]);
	if (domains->len > DOMAINS_SHOWN)
		g_string_append_printf(shown, " and %u more",
		    domains->len - DOMAINS_SHOWN);
	finding(&check->findings, SEVERITY_WARNING, "main.cf: relay_domains",
	    "has not %s, for which there are routes: others than "
	    "mynetworks get 'Relay access denied'; expected them "
	    "there, unless only mynetworks send to them",
	    shown->str);
}

/* The first of the map; new strings. */
static GPtrArray *
inbound_domains(const struct check *check)
{
	const char *path = check->settings->routes;
	GPtrArray *domains = g_ptr_array_new_with_free_func(g_free);
	struct maptext_entry entry;
	struct maptext map;

	if (check->map == NULL)
		return domains;
	mapcopy_begin(path, check->map, &map);
	while (maptext_next(&map, &entry) && domains->len < DOMAINS_ASKED) {
		char *domain = inbound_domain(&entry, path);

		if (domain != NULL)
			g_ptr_array_add(domains, domain);
	}
	return domains;
}

/* Takes those that the list has out of @domains. */
static void
take_out(const struct check *check, const struct list *list, GPtrArray *domains)
{
	g_autofree char *value = postconf_value(NULL, list->name, TRUE, NULL);
	g_auto(GStrv) words = transport_split(value != NULL ? value : "");
	guint i = 0;

	ask_for(check, words, domains, list->parents);
	while (i < domains->len) {
		if (list_has(check, words, domains->pdata[i], list->parents))
			g_ptr_array_remove_index(domains, i);
		else
			i++;
	}
}

void
check_accepted(struct check *check)
{
	g_autoptr(GPtrArray) domains = inbound_domains(check);

	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
		take_out(check, &lists[i], domains);
	if (domains->len > 0)
		say_refused(check, domains);
}
