/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "address/domain.h"
#include "ctl/check/check-entry.h"
#include "ctl/check/check-hosts.h"
#include "ctl/check/check-routes.h"
#include "ctl/check/check-security.h"
#include "route/routemap.h"
#include "util/bom.h"
#include "util/printable.h"
#include "util/slurp.h"

/* As much of a key as a message quotes. */
#define KEY_SHOWN 64

/* A domain (RFC 1035 section 2.3.4) and the dot before it. */
#define KEY_MAX 254

/* The keys so far, each with the entry that had it first. */
struct keys {
	GHashTable *same;    /* as smtproute compares keys */
	GHashTable *postfix; /* as Postfix does */
};

static char *
place(const char *path, const struct maptext_entry *entry)
{
	return g_strdup_printf("%s:%u:1", path, entry->line);
}

static char *
shown_key(const struct maptext_entry *entry)
{
	g_autofree char *key = g_strndup(entry->key, entry->key_length);

	return printable(key, KEY_SHOWN);
}

/* Postfix's key ends at a blank, with the colon if there is one. */
static char *
postfix_key(const struct maptext_entry *entry)
{
	const char *end = entry->value + entry->value_length;
	const char *at = entry->key;

	while (at < end && !g_ascii_isspace(*at))
		at++;
	return g_ascii_strdown(entry->key, at - entry->key);
}

/*
 * The entry that had @key before, NULL if this one is the first, which then
 * stays in @table with the key.
 */
static const struct maptext_entry *
seen(GHashTable *table, char *key, const struct maptext_entry *entry)
{
	const struct maptext_entry *first = g_hash_table_lookup(table, key);

	if (first != NULL) {
		g_free(key);
		return first;
	}
	g_hash_table_insert(table, key,
	    g_memdup2(entry, sizeof(struct maptext_entry)));
	return NULL;
}

/* Two spellings of a key may well have the same route. */
static gboolean
equal_values(const struct maptext_entry *a, const struct maptext_entry *b)
{
	g_autofree char *left =
	    g_strstrip(g_strndup(a->value, a->value_length));
	g_autofree char *right =
	    g_strstrip(g_strndup(b->value, b->value_length));

	return strcmp(left, right) == 0;
}

static void
check_again(struct findings *findings, const char *where,
    const struct maptext_entry *entry, struct keys *keys)
{
	g_autofree char *key = shown_key(entry);
	const struct maptext_entry *first;
	char *same = routemap_key(entry);

	first = seen(keys->postfix, postfix_key(entry), entry);
	if (first != NULL) {
		finding(findings, SEVERITY_WARNING, where,
		    "key '%s' again; expected once: line %u counts, and "
		    "Postfix refuses a texthash table that has a key twice "
		    "(451 Temporary lookup failure)",
		    key, first->line);
		g_free(same);
		return;
	}
	if (same == NULL)
		return;
	first = seen(keys->same, same, entry);
	if (first != NULL && !equal_values(first, entry))
		finding(findings, SEVERITY_WARNING, where,
		    "key '%s' is the same as that of line %u; expected once: "
		    "line %u counts",
		    key, first->line, first->line);
}

/* Is it something that mail can be looked up by? */
static gboolean
is_key(const char *key)
{
	static const char name[] =
	    G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.";
	g_autofree char *form = NULL;

	if (strcmp(key, "*") == 0 ||
	    (key[0] != '\0' && key[strspn(key, name)] == '\0'))
		return TRUE;
	if (key[0] == '[')
		form = domain_literal_canonical(key, NULL);
	else
		form = domain_canonical(key + (key[0] == '.'), NULL);
	return form != NULL;
}

/* Postfix knows fewer forms of a key; see smtproute_routes(5), CAVEATS. */
static void
check_form(struct findings *findings, const char *where, const char *key,
    const struct maptext_entry *entry)
{
	g_autofree char *shown = printable(key, KEY_SHOWN);
	gsize length = strlen(key);

	if (g_ascii_strcasecmp(key, "ALL") == 0)
		finding(findings, SEVERITY_WARNING, where,
		    "Postfix's own lookup does not know '%s%s'; expected "
		    "'*'%s",
		    shown, entry->colon ? ":" : "",
		    entry->has_value ? "" : " and a value, as USEDNS");
	else if (entry->colon)
		finding(findings, SEVERITY_WARNING, where,
		    "Postfix's own lookup does not find '%s:'; expected '%s' "
		    "without the colon",
		    shown, shown);
	else if (length > 1 && key[length - 1] == '.')
		finding(findings, SEVERITY_WARNING, where,
		    "Postfix's own lookup does not find '%s'; expected no "
		    "final dot",
		    shown);
}

static void
check_key(struct findings *findings, const char *where,
    const struct maptext_entry *entry)
{
	g_autofree char *key = g_strndup(entry->key, entry->key_length);
	g_autofree char *shown = printable(key, KEY_SHOWN);

	if (strlen(key) < entry->key_length)
		finding(findings, SEVERITY_WARNING, where,
		    "NUL byte in a key; expected text");
	else if (entry->key_length > KEY_MAX)
		finding(findings, SEVERITY_WARNING, where,
		    "key '%s' is longer than any domain; expected at most "
		    "%u bytes",
		    shown, KEY_MAX);
	else if (!is_key(key))
		finding(findings, SEVERITY_WARNING, where,
		    "no mail is looked up by key '%s'; expected domain, "
		    ".domain, [address], * or a route's name",
		    shown);
	else
		check_form(findings, where, key, entry);
}

static void
check_drained(struct findings *findings, const char *where,
    const struct route *route)
{
	for (guint i = 0; i < route->destinations->len; i++) {
		const struct destination *destination =
		    route->destinations->pdata[i];

		if (!destination->drain)
			return;
	}
	if (route->kind == ROUTE_HOSTS)
		finding(findings, SEVERITY_WARNING, where,
		    "every host is drained; expected one to send mail to, "
		    "which waits in the queue meanwhile");
}

/* A first line that postmap(1) and texthash read otherwise than it looks. */
static void
check_mark(struct findings *findings, const char *path, const char *text,
    gsize length)
{
	gsize mark = bom_length(text, length);
	g_autofree char *where = g_strdup_printf("%s:1:1", path);
	g_autofree char *key = NULL;
	g_autofree char *shown = NULL;
	gsize size = 0;

	if (mark == 0)
		return;
	while (mark + size < length && !g_ascii_isspace(text[mark + size]))
		size++;
	key = g_strndup(text + mark, size);
	shown = printable(key, KEY_SHOWN);
	finding(findings, SEVERITY_WARNING, where,
	    "begins with a byte order mark, which Postfix's own lookup takes "
	    "for a part of '%s'; expected none: sed -i '1s/^...//' %s",
	    shown, path);
}

/*
 * Lines that begin with a blank before any entry are nothing: an entry that is
 * indented is lost, and of a map that is indented as a whole nothing is left.
 */
static void
check_head(struct findings *findings, const char *path, const char *text,
    gsize length)
{
	const char *end = text + length;
	const char *at = text + bom_length(text, length);

	for (guint line = 1; at < end; line++) {
		const char *next = memchr(at, '\n', (gsize)(end - at));
		const char *first = at;
		g_autofree char *where = NULL;

		next = next != NULL ? next + 1 : end;
		while (first < next && g_ascii_isspace(*first))
			first++;
		if (first == at && *first != '#')
			return;
		if (first < next && *first != '#') {
			where = g_strdup_printf("%s:%u:1", path, line);
			finding(findings, SEVERITY_WARNING, where,
			    "begins with a blank before any entry and is "
			    "nothing, for Postfix neither; expected the key "
			    "in the first column");
			return;
		}
		at = next;
	}
}

static void
check_text(struct check *check, const char *text, gsize length)
{
	const char *path = check->settings->routes;
	g_autoptr(Hosts) hosts = hosts_new(check->settings);
	struct keys keys = {
	    .same =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
	    .postfix =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
	};
	struct maptext_entry entry;
	struct maptext map;

	check->whole = TRUE;
	check_mark(&check->findings, path, text, length);
	check_head(&check->findings, path, text, length);
	maptext_begin(&map, text, length);
	while (maptext_next(&map, &entry)) {
		g_autofree char *where = place(path, &entry);
		g_autoptr(Route) route =
		    check_entry(&check->findings, path, &entry);

		check_key(&check->findings, where, &entry);
		/* Without a value no other entry is hidden. */
		if (entry.has_value)
			check_again(&check->findings, where, &entry, &keys);
		check->routes++;
		if (route == NULL) {
			check->whole = FALSE;
			continue;
		}
		check_drained(&check->findings, where, route);
		check_route_security(check, path, &entry, route);
		hosts_add(hosts, path, &entry, route);
	}
	check->hosts = hosts_check(hosts, &check->findings);
	g_hash_table_destroy(keys.same);
	g_hash_table_destroy(keys.postfix);
}

void
check_routes(struct check *check)
{
	g_autofree char *reason = NULL;
	g_autofree char *text = NULL;
	const char *path;
	gsize length;

	if (!check_knows(check, "routes"))
		return;
	path = check->settings->routes;
	if (g_str_has_prefix(path, "lmdb:")) {
		finding(&check->findings, SEVERITY_ERROR, path,
		    "this version reads text maps only; expected a path "
		    "without lmdb:");
		return;
	}
	reason = slurp(path, ROUTEMAP_SIZE_MAX, &text, &length);
	if (reason != NULL) {
		finding(&check->findings, SEVERITY_ERROR, path, "%s", reason);
		return;
	}
	check_text(check, text, length);
}
