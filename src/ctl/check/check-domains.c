/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Postfix's transport_maps go before its address classes: a route takes the
 * mail of a domain that Postfix would deliver itself, and "*" that of all such
 * domains.
 */
#include <config.h>

#include <string.h>

#include "ctl/check/check-accepted.h"
#include "ctl/check/check-domains.h"
#include "ctl/postconf.h"
#include "ctl/transport.h"

/* How many domains postmap(1) is asked for. */
#define DOMAINS_ASKED 200

/* Parameters with the domains of a class, and what delivers them. */
static const struct class {
	const char *name;
	const char *remedy; /* of "DOMAIN local:" in transport_maps */
} classes[] = {
    {"mydestination", "local:"},
    {"virtual_mailbox_domains", "virtual:"},
};

/* The words of a list in main.cf, new strings; NULL at the end. */
static char **
words_of(const char *parameter)
{
	g_autofree char *value = postconf_value(NULL, parameter, TRUE, NULL);

	return transport_split(value != NULL ? value : "");
}

/* The key that leads @domain to the transport, NULL: none does.  A new string.
 */
static char *
taken_by(const struct check *check, char *const *maps, const char *domain,
    const char *transport)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);

	transport_add_keys(keys, domain);
	for (guint i = 0; i < keys->len; i++) {
		g_autofree char *value = NULL;
		const char *map;

		if (!tables_first(check->tables, maps, keys->pdata[i], &map,
			&value))
			return NULL;
		if (map != NULL)
			return transport_names(value, transport)
			    ? g_strdup(keys->pdata[i])
			    : NULL;
	}
	return NULL;
}

/* All that taken_by() looks up for the first domains among @words. */
static void
ask_for(const struct check *check, char *const *maps, char *const *words)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);

	for (gsize i = 0; i < DOMAINS_ASKED && words[i] != NULL; i++) {
		if (!transport_is_table(words[i]))
			transport_add_keys(keys, words[i]);
	}
	g_ptr_array_add(keys, NULL);
	tables_ask_all(check->tables, maps, (const char *const *)keys->pdata);
}

static void
check_class(struct check *check, char *const *maps, const char *transport,
    const struct class *class)
{
	g_auto(GStrv) words = words_of(class->name);
	g_autofree char *where = g_strconcat("main.cf: ", class->name, NULL);

	ask_for(check, maps, words);
	for (gsize i = 0; i < DOMAINS_ASKED && words[i] != NULL; i++) {
		g_autofree char *key = NULL;

		if (transport_is_table(words[i]))
			continue;
		key = taken_by(check, maps, words[i], transport);
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
check_domains(struct check *check, const char *maps, const char *transport)
{
	g_auto(GStrv) list = transport_split(maps);

	for (gsize i = 0; i < G_N_ELEMENTS(classes); i++)
		check_class(check, list, transport, &classes[i]);
	if (has_smtpd(check) && check_knows(check, "routes"))
		check_accepted(check);
}
