/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SMTP Routes that the Email Security Appliance exports.  The route map
 * has their grammar; what is left to do is to write them in the form that
 * Postfix's own lookup knows as well.
 */

#include <config.h>

#include <string.h>

#include "ctl/import/import-each.h"
#include "ctl/import/import-formats.h"
#include "route/routemap.h"

static gboolean
is_route(const char *text)
{
	const struct route_origin origin = {"", 1, 1};
	g_autoptr(Route) route = route_parse(text, strlen(text), &origin, NULL);

	return route != NULL;
}

/* "key: value", "key value", "key:value". */
static enum import_claim
claim(const char *head, const char *rest)
{
	const char *from = head[0] == '[' ? strchr(head, ']') : head;
	const char *colon = from == NULL ? NULL : strchr(from, ':');
	g_autofree char *key = colon == NULL
	    ? g_strdup(head)
	    : g_strndup(head, (gsize)(colon - head));
	g_autofree char *value = colon == NULL
	    ? g_strdup(rest)
	    : g_strconcat(colon + 1, " ", rest, NULL);

	if (!import_is_key(&import_esa, key))
		return CLAIM_NO;
	g_strstrip(value);
	if (value[0] == '\0')
		return colon != NULL && strcmp(key, import_esa.any) == 0
		    ? CLAIM_SURE
		    : CLAIM_NO;
	if (!is_route(value))
		return CLAIM_NO;
	return strchr(value, '/') != NULL ||
		strcmp(value, ROUTE_KEYWORD_DNS) == 0
	    ? CLAIM_SURE
	    : CLAIM_MAYBE;
}

/* The words of a good value: on one line, and without its comments. */
static char *
one_line(const struct maptext_entry *entry)
{
	GString *value = g_string_new(NULL);
	struct import_walk walk;
	struct import_text word;

	import_words_begin(&walk, entry);
	while (import_next_word(&walk, &word)) {
		if (value->len > 0)
			g_string_append(value, ", ");
		g_string_append_len(value, word.at, (gssize)word.length);
	}
	return g_string_free(value, FALSE);
}

static void
read_entry(struct import *import, const struct maptext_entry *given)
{
	const struct import_text key = import_map_key(given);
	struct import_entry *entry = import_begin(import, &key);
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) route = NULL;

	if (entry == NULL)
		return;
	route = routemap_parse(import->name, given, &error);
	if (route == NULL)
		import_error(entry, error);
	else
		import_value(import, entry,
		    route->kind == ROUTE_DNS ? g_strdup(ROUTE_KEYWORD_DNS)
					     : one_line(given));
}

static void
read_esa(struct import *import, const char *text, gsize length)
{
	import_each_entry(import, text, length, read_entry);
}

const struct import_format import_esa = {
    .name = "esa",
    .any = "ALL",
    .lenient = TRUE,
    .keys = "domain, .domain, [address] or ALL",
    .claim = claim,
    .read = read_esa,
};
