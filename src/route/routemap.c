/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One pass over a text for one lookup: an agent that serves one message would
 * build an index only to throw it away.  Who serves many has a memory for it.
 */
#include <config.h>

#include <string.h>

#include "route/mapindex.h"
#include "route/mapkey.h"
#include "route/maplmdb.h"
#include "route/routemap.h"
#include "util/printable.h"
#include "util/slurp.h"

/* As much of a nexthop as a message quotes. */
#define QUOTE_MAX 64

/* What the keys are compared with. */
struct wanted {
	const char *key;
	gsize length;
	gboolean named; /* is a route's name: no other key stands in for it */
};

/* The best entry so far. */
struct best {
	gsize fit; /* 0: none yet */
	struct maptext_entry entry;
};

G_DEFINE_QUARK(smtproute_routemap_error, routemap_error)

/* FALSE, so that others can return it. */
static gboolean
file_error(const char *path, const char *reason, GError **error)
{
	g_set_error(error, ROUTEMAP_ERROR, ROUTEMAP_ERROR_FILE, "%s: %s", path,
	    reason);
	return FALSE;
}

/*
 * How well a key fits: 0 not at all, "*" less than ".com", that less than
 * ".example.com", and best of all the domain itself.
 */
static gsize
fit_ascii(const char *key, gsize length, const struct wanted *wanted)
{
	if (length > 1 && key[length - 1] == '.')
		length--;
	if (mapkey_is(key, length, wanted->key))
		return wanted->length + 1;
	if (wanted->named)
		return 0;
	if (mapkey_is_any(key, length))
		return 1;
	if (length < 2 || key[0] != '.' || length >= wanted->length ||
	    wanted->key[0] == '[')
		return 0;
	return mapkey_is(key, length, wanted->key + wanted->length - length)
	    ? length
	    : 0;
}

char *
routemap_file(const char *path)
{
	return maplmdb_is(path) ? maplmdb_file(path) : g_strdup(path);
}

static gsize
fit(const struct maptext_entry *entry, const struct wanted *wanted)
{
	g_autofree char *form = NULL;

	if (entry->ascii && entry->key[0] != '[')
		return fit_ascii(entry->key, entry->key_length, wanted);
	form = mapkey_of(entry);
	return form == NULL ? 0 : fit_ascii(form, strlen(form), wanted);
}

/* Takes the entry for @best if it fits better. */
static void
consider(const struct maptext_entry *entry, const struct wanted *wanted,
    struct best *best)
{
	gsize how = fit(entry, wanted);

	if (how == 0 || how < best->fit ||
	    (how == best->fit && mapkey_wins(&best->entry)))
		return;
	best->fit = how;
	best->entry = *entry;
}

char *
routemap_origin(const char *path, const struct maptext_entry *entry)
{
	g_autofree char *key = NULL;
	g_autofree char *shown = NULL;

	if (entry->line > 0)
		return g_strdup(path);
	key = g_strndup(entry->key, entry->key_length);
	shown = printable(key, QUOTE_MAX);
	return g_strdup_printf("%s: key %s", path, shown);
}

static struct route *
parse_value(const char *name, const struct maptext_entry *entry, GError **error)
{
	const struct route_origin origin = {
	    .name = name,
	    .line = entry->line,
	    .column = entry->column,
	};
	gboolean dns = mapkey_says_dns(entry);

	return route_parse(dns ? ROUTE_KEYWORD_DNS : entry->value,
	    dns ? strlen(ROUTE_KEYWORD_DNS) : entry->value_length, &origin,
	    error);
}

struct route *
routemap_parse(const char *path, const struct maptext_entry *entry,
    GError **error)
{
	struct route *route = parse_value(path, entry, NULL);

	/* Only a fault is worth the words that say where it is. */
	if (route == NULL) {
		g_autofree char *name = routemap_origin(path, entry);

		route = parse_value(name, entry, error);
	}
	if (route == NULL)
		return NULL;
	route->key = g_strndup(entry->key, entry->key_length);
	route->line = entry->line;
	return route;
}

/*
 * *ret_entry is in *ret_text, a new string, as all of the map is.  FALSE: the
 * file cannot be read.
 */
static gboolean
scan(const char *path, const struct wanted *wanted, char **ret_text,
    struct maptext_entry *ret_entry, GError **error)
{
	g_autofree char *reason = NULL;
	g_autofree char *text = NULL;
	struct best best = {0};
	struct maptext_entry entry;
	struct maptext map;
	gsize length;

	reason = slurp(path, ROUTEMAP_SIZE_MAX, &text, &length);
	if (reason != NULL)
		return file_error(path, reason, error);
	maptext_begin(&map, text, length);
	while (maptext_next(&map, &entry))
		consider(&entry, wanted, &best);
	if (best.fit > 0) {
		*ret_text = g_steal_pointer(&text);
		*ret_entry = best.entry;
	}
	return TRUE;
}

/* The same by an index. */
static gboolean
seek(const char *map, const struct wanted *wanted, char **ret_text,
    struct maptext_entry *ret_entry, GError **error)
{
	g_autofree char *reason =
	    mapindex_find(map, wanted->key, wanted->named, ret_text, ret_entry);

	if (reason == NULL)
		return TRUE;
	g_set_error_literal(error, ROUTEMAP_ERROR, ROUTEMAP_ERROR_FILE, reason);
	return FALSE;
}

/* By whichever way; ret_entry->key is NULL if there is none. */
static gboolean
find_entry(struct mapmemory *memory, const char *path,
    const struct wanted *wanted, char **ret_text,
    struct maptext_entry *ret_entry, GError **error)
{
	if (maplmdb_is(path))
		return seek(path, wanted, ret_text, ret_entry, error);
	if (memory == NULL || !mapmemory_load(memory, path))
		return scan(path, wanted, ret_text, ret_entry, error);
	mapmemory_find(memory, wanted->key, wanted->named, ret_entry);
	return TRUE;
}

static struct route *
look_up(struct mapmemory *memory, const char *path, const struct wanted *wanted,
    GError **error)
{
	g_autofree char *text = NULL;
	g_autofree char *key = NULL;
	struct maptext_entry entry = {0};

	if (!find_entry(memory, path, wanted, &text, &entry, error))
		return NULL;
	if (entry.key != NULL)
		return routemap_parse(path, &entry, error);
	key = printable(wanted->key, QUOTE_MAX);
	g_set_error(error, ROUTEMAP_ERROR, ROUTEMAP_ERROR_MISSING,
	    "no route %s %s in %s", wanted->named ? "named" : "for", key, path);
	return NULL;
}

gboolean
routemap_looks_up(const char *nexthop, const char *domain)
{
	g_autofree char *name = NULL;

	if (nexthop == NULL)
		return TRUE;
	if (domain == NULL)
		return FALSE;
	name = mapkey_canonical(nexthop);
	return g_strcmp0(name, domain) == 0;
}

struct route *
routemap_find(const char *path, const char *nexthop, const char *domain,
    GError **error)
{
	return routemap_find_in(NULL, path, nexthop, domain, error);
}

struct route *
routemap_find_in(struct mapmemory *memory, const char *path,
    const char *nexthop, const char *domain, GError **error)
{
	const struct route_origin origin = {"inline route", 1, 1};
	g_autofree char *name = NULL;
	struct wanted wanted = {.key = domain};

	if (!routemap_looks_up(nexthop, domain)) {
		if (strpbrk(nexthop, "[]:/,") != NULL)
			return route_parse(nexthop, strlen(nexthop), &origin,
			    error);
		name = mapkey_canonical(nexthop);
		wanted.key = name == NULL ? nexthop : name;
		wanted.named = TRUE;
	}
	wanted.length = strlen(wanted.key);
	return look_up(memory, path, &wanted, error);
}
