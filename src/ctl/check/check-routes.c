/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "address/domain.h"
#include "ctl/check/check-entry.h"
#include "ctl/check/check-hosts.h"
#include "ctl/check/check-keys.h"
#include "ctl/check/check-rates.h"
#include "ctl/check/check-routes.h"
#include "ctl/check/check-security.h"
#include "ctl/progress.h"
#include "route/mapcopy.h"
#include "route/maplmdb.h"
#include "util/bom.h"
#include "util/printable.h"

/* As much of a key as a message quotes. */
#define KEY_SHOWN 64

/* A domain (RFC 1035 section 2.3.4) and the dot before it. */
#define KEY_MAX 254

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
	g_autofree char *shown = NULL;
	gsize length = strlen(key);

	/* Of a million keys most are as they should be. */
	if (!entry->colon && key[length - 1] != '.' &&
	    g_ascii_strcasecmp(key, "ALL") != 0)
		return;
	shown = printable(key, KEY_SHOWN);
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

/* A domain as most of a million are, of which there is nothing to say. */
static gboolean
is_plain(const struct maptext_entry *entry)
{
	gsize length = entry->key_length;

	if (entry->colon || length < 4 || length > KEY_MAX ||
	    entry->key[length - 1] == '.')
		return FALSE;
	for (gsize i = 0; i < length; i++) {
		char byte = entry->key[i];

		if (!g_ascii_isalnum(byte) && byte != '.' && byte != '-')
			return FALSE;
	}
	return TRUE;
}

static void
check_key(struct findings *findings, const char *path,
    const struct maptext_entry *entry)
{
	g_autofree char *key = NULL;
	g_autofree char *where = NULL;
	g_autofree char *shown = NULL;

	if (is_plain(entry))
		return;
	key = g_strndup(entry->key, entry->key_length);
	where = check_entry_line(path, entry);
	if (strlen(key) < entry->key_length) {
		finding(findings, SEVERITY_WARNING, where,
		    "NUL byte in a key; expected text");
		return;
	}
	if (entry->key_length <= KEY_MAX && is_key(key)) {
		check_form(findings, where, key, entry);
		return;
	}
	shown = printable(key, KEY_SHOWN);
	if (entry->key_length > KEY_MAX)
		finding(findings, SEVERITY_WARNING, where,
		    "key '%s' is longer than any domain; expected at most "
		    "%u bytes",
		    shown, KEY_MAX);
	else
		finding(findings, SEVERITY_WARNING, where,
		    "no mail is looked up by key '%s'; expected domain, "
		    ".domain, [address], * or a route's name",
		    shown);
}

static void
check_drained(struct findings *findings, const char *path,
    const struct maptext_entry *entry, const struct route *route)
{
	g_autofree char *where = NULL;

	for (guint i = 0; i < route->destinations->len; i++) {
		const struct destination *destination =
		    route->destinations->pdata[i];

		if (!destination->drain)
			return;
	}
	if (route->kind != ROUTE_HOSTS)
		return;
	where = check_entry_line(path, entry);
	finding(findings, SEVERITY_WARNING, where,
	    "every host is drained; expected one to send mail to, which waits "
	    "in the queue meanwhile");
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

/* There may be millions; few have a group in the settings. */
static void
note_key(struct check *check, const struct route *route)
{
	if (route->key != NULL &&
	    settings_have_route(check->settings, route->key))
		g_hash_table_add(check->keys, choosing_id(route->key));
}

/* @route: NULL: it has a fault. */
static void
check_one(struct check *check, const struct maptext_entry *entry,
    const struct route *route, struct keys *keys)
{
	const char *path = check->settings->routes;

	check_key(&check->findings, path, entry);
	/* Without a value no other entry is hidden. */
	if (entry->has_value)
		keys_add(keys, entry, &check->findings);
	if (route == NULL)
		return;
	note_key(check, route);
	check_drained(&check->findings, path, entry, route);
	check_route_security(check, path, entry, route);
	check_rates(check, path, entry, route);
}

/* What is wrong with the beginning of a text. */
static void
check_text(struct check *check)
{
	const char *path = check->settings->routes;
	gsize length;
	const char *text = g_bytes_get_data(check->map, &length);

	if (maplmdb_is(path))
		return;
	check_mark(&check->findings, path, text, length);
	check_head(&check->findings, path, text, length);
}

static void
check_entries(struct check *check)
{
	const char *path = check->settings->routes;
	g_autoptr(Hosts) hosts = hosts_new(check);
	g_autoptr(Keys) keys = keys_new(path, check->map);
	struct maptext_entry entry;
	struct maptext map;

	check->whole = TRUE;
	check_text(check);
	mapcopy_begin(path, check->map, &map);
	while (maptext_next(&map, &entry)) {
		g_autoptr(Route) route =
		    check_entry(&check->findings, path, &entry);

		check_one(check, &entry, route, keys);
		if (route != NULL)
			hosts_add(hosts, path, &entry, route);
		else
			check->whole = FALSE;
		progress_say(++check->routes, "routes");
	}
	progress_clear();
	check->hosts =
	    hosts_check(hosts, &check->findings, !check->without_dns);
}

void
check_routes(struct check *check)
{
	g_autoptr(GError) error = NULL;

	if (!check_knows(check, "routes"))
		return;
	check->map = mapcopy_read(check->settings->routes, &error);
	if (check->map == NULL)
		finding_error(&check->findings, error);
	else
		check_entries(check);
}
