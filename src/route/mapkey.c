/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "address/domain.h"
#include "route/mapkey.h"

gboolean
mapkey_is(const char *key, gsize length, const char *text)
{
	return length == strlen(text) &&
	    g_ascii_strncasecmp(key, text, length) == 0;
}

gboolean
mapkey_is_any(const char *key, gsize length)
{
	return mapkey_is(key, length, MAPKEY_ANY) ||
	    mapkey_is(key, length, MAPKEY_ALL);
}

char *
mapkey_canonical(const char *text)
{
	g_autofree char *domain = NULL;

	if (text[0] == '[')
		return domain_literal_canonical(text, NULL);
	if (text[0] != '.')
		return domain_canonical(text, NULL);
	domain = domain_canonical(text + 1, NULL);
	return domain == NULL ? NULL : g_strconcat(".", domain, NULL);
}

char *
mapkey_of(const struct maptext_entry *entry)
{
	g_autofree char *text = g_strndup(entry->key, entry->key_length);
	char *key;

	if (mapkey_is(entry->key, entry->key_length, MAPKEY_ALL))
		return g_strdup(MAPKEY_ANY);
	if (strlen(text) != entry->key_length)
		return NULL;
	key = mapkey_canonical(text);
	return key != NULL ? key : g_ascii_strdown(text, -1);
}

gboolean
mapkey_says_dns(const struct maptext_entry *entry)
{
	return entry->colon && !entry->has_value &&
	    mapkey_is(entry->key, entry->key_length, MAPKEY_ALL);
}

gboolean
mapkey_wins(const struct maptext_entry *entry)
{
	return entry->has_value || mapkey_says_dns(entry);
}
