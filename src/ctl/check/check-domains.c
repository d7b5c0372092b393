/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Postfix's transport_maps go before its address classes: a route takes the
 * mail of a domain that Postfix would deliver itself, and "*" that of all such
 * domains.  But what smtpd(8) accepts from outside is for the classes alone.
 */
#include <config.h>

#include <string.h>

#include "address/domain.h"
#include "ctl/check/check-domains.h"
#include "ctl/postconf.h"
#include "ctl/transport.h"
#include "route/routemap.h"
#include "util/slurp.h"

/* How many domains a line names, and how many postmap(1) is asked for. */
#define DOMAINS_SHOWN 5
#define DOMAINS_ASKED 200

/* Parameters with the domains of a class, and what delivers them. */
static const struct class {
	const char *name;
	const char *remedy; /* of "DOMAIN local:" in transport_maps */
} classes[] = {
    {"mydestination", "local:"},
    {"virtual_mailbox_domains", "virtual:"},
};

/* What smtpd(8) accepts besides (ADDRESS_CLASS_README). */
static const char *const accepting[] = {"mydestination",
    "virtual_mailbox_domains", "virtual_alias_domains", "relay_domains"};

/* The words of a list in main.cf, new strings; NULL at the end. */
static char **
words_of(const char *parameter)
{
	g_autofree char *value = postconf_value(NULL, parameter, TRUE, NULL);

	return transport_split(value != NULL ? value : "");
}

static gboolean
is_table(const char *word)
{
	return strpbrk(word, ":/!") != NULL;
}

/* The key that leads @domain to the service, NULL: none does.  A new string. */
static char *
taken_by(char *const *maps, const char *domain, const struct service *service)
{
	const char *at = domain;

	while (at != NULL) {
		g_autofree char *key = at == domain
		    ? g_ascii_strdown(domain, -1)
		    : g_ascii_strdown(at, -1);
		g_autofree char *value = NULL;
		const char *map;

		if (!postconf_first(maps, key, &map, &value))
			return NULL;
		if (map != NULL)
			return transport_names(value, service->name)
			    ? g_steal_pointer(&key)
			    : NULL;
		if (strcmp(at, "*") == 0)
			return NULL;
		at = strchr(at + 1, '.');
		if (at == NULL)
			at = "*";
	}
	return NULL;
}

static void
check_class(struct check *check, char *const *maps,
    const struct service *service, const struct class *class)
{
	g_auto(GStrv) words = words_of(class->name);
	g_autofree char *where = g_strconcat("main.cf: ", class->name, NULL);

	for (gsize i = 0; i < DOMAINS_ASKED && words[i] != NULL; i++) {
		g_autofree char *key = NULL;

		if (is_table(words[i]))
			continue;
		key = taken_by(maps, words[i], service);
		if (key == NULL)
			continue;
		if (g_ascii_strcasecmp(key, words[i]) == 0)
			finding(&check->findings, SEVERITY_WARNING, where,
			    "has %s, and the route map too, which takes its "
			    "mail away; expected one of the two",
			    words[i]);
		else
			finding(&check->findings, SEVERITY_WARNING, where,
			    "has %s, whose mail goes along the route '%s'; "
			    "expected '%s %s' in a table before it in "
			    "transport_maps, if Postfix is to deliver it",
			    words[i], key, words[i], class->remedy);
	}
}

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

static gboolean
table_has(const char *table, const char *domain)
{
	g_autofree char *value = NULL;

	/* What cannot be asked may have it. */
	return !postconf_look_up(table, domain, &value, NULL) || value != NULL;
}

/* A list as of domains(5), with tables; @parents: they match subdomains. */
static gboolean
list_has(char *const *words, const char *domain, gboolean parents)
{
	for (gsize i = 0; words[i] != NULL; i++) {
		const char *at = domain;

		if (!is_table(words[i])) {
			if (equals(words[i], domain, parents))
				return TRUE;
			continue;
		}
		/* A file of patterns, or what is excluded. */
		if (words[i][0] == '/' || words[i][0] == '!')
			return TRUE;
		do {
			if (table_has(words[i], at))
				return TRUE;
			at = strchr(at, '.');
			at = parents && at != NULL ? at + 1 : NULL;
		} while (at != NULL);
	}
	return FALSE;
}

static gboolean
is_accepted(char **const *lists, const char *domain)
{
	for (gsize i = 0; i < G_N_ELEMENTS(accepting); i++) {
		if (list_has(lists[i], domain,
			strcmp(accepting[i], "relay_domains") == 0))
			return TRUE;
	}
	return FALSE;
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
	g_autofree char *key = routemap_key(entry);
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
say_refused(struct check *check, const GString *shown, guint count)
{
	g_autofree char *more = count > DOMAINS_SHOWN
	    ? g_strdup_printf(" and %u more", count - DOMAINS_SHOWN)
	    : g_strdup("");

	if (count > 0)
		finding(&check->findings, SEVERITY_WARNING,
		    "main.cf: relay_domains",
		    "has not %s%s, for which there are routes: others than "
		    "mynetworks get 'Relay access denied'; expected them "
		    "there, unless only mynetworks send to them",
		    shown->str, more);
}

static void
check_accepted(struct check *check, char **const *lists)
{
	const char *path = check->settings->routes;
	g_autoptr(GString) shown = g_string_new(NULL);
	g_autofree char *text = NULL;
	g_autofree char *reason = NULL;
	struct maptext_entry entry;
	struct maptext map;
	gsize length;
	guint asked = 0;
	guint count = 0;

	reason = slurp(path, ROUTEMAP_SIZE_MAX, &text, &length);
	if (reason != NULL)
		return;
	maptext_begin(&map, text, length);
	while (maptext_next(&map, &entry) && asked < DOMAINS_ASKED) {
		g_autofree char *domain = inbound_domain(&entry, path);

		if (domain == NULL)
			continue;
		asked++;
		if (is_accepted(lists, domain) || ++count > DOMAINS_SHOWN)
			continue;
		g_string_append_printf(shown, "%s%s",
		    shown->len > 0 ? ", " : "", domain);
	}
	say_refused(check, shown, count);
}

/* Without smtpd(8) nothing comes from outside. */
static gboolean
has_smtpd(const struct check *check)
{
	for (guint i = 0; i < check->services->len; i++) {
		const struct service *service = check->services->pdata[i];

		if (strcmp(service->type, "inet") == 0 ||
		    strcmp(service->type, "pass") == 0)
			return TRUE;
	}
	return FALSE;
}

void
check_domains(struct check *check, const char *maps,
    const struct service *service)
{
	g_auto(GStrv) list = transport_split(maps);
	char **lists[G_N_ELEMENTS(accepting)];

	for (gsize i = 0; i < G_N_ELEMENTS(classes); i++)
		check_class(check, list, service, &classes[i]);
	if (!has_smtpd(check) || !check_knows(check, "routes"))
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(accepting); i++)
		lists[i] = words_of(accepting[i]);
	check_accepted(check, lists);
	for (gsize i = 0; i < G_N_ELEMENTS(accepting); i++)
		g_strfreev(lists[i]);
}
