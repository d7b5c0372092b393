/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/import/import-entry.h"
#include "route/mapkey.h"
#include "route/route.h"

/* From one level of hosts to the next. */
#define PRIORITY_STEP 10

#define TOO_MANY                                                               \
	"a route has at most " G_STRINGIFY(ROUTE_DESTINATIONS_MAX) " hosts"

static gboolean
is_any(const struct import_format *format, const char *text)
{
	return format->lenient ? g_ascii_strcasecmp(text, format->any) == 0
			       : strcmp(text, format->any) == 0;
}

/* What equal keys have in common, NULL if it is no key. */
static char *
key_form(const struct import_format *format, const char *text)
{
	if (is_any(format, text))
		return g_strdup(MAPKEY_ANY);
	/* Nothing that is looked up has the final dot. */
	if (!format->lenient && g_str_has_suffix(text, "."))
		return NULL;
	return mapkey_canonical(text);
}

gboolean
import_is_key(const struct import_format *format, const char *text)
{
	g_autofree char *form = key_form(format, text);

	return form != NULL;
}

/*
 * What to write for a key.  Postfix looks letters of other languages up as
 * they stand in the address, in lower case.
 */
static char *
key_text(const char *text, const char *form)
{
	gboolean dot = form[0] == '.';
	g_autofree char *letters = NULL;

	if (!g_str_is_ascii(text))
		letters = g_hostname_to_unicode(form + dot);
	if (letters == NULL)
		return g_strdup(form);
	return g_strconcat(dot ? "." : "", letters, NULL);
}

static struct import_entry *
add(struct import *import, unsigned line)
{
	struct import_entry *entry = g_new0(struct import_entry, 1);

	entry->line = line;
	g_ptr_array_add(import->entries, entry);
	return entry;
}

static void
leave_out(struct import_entry *entry, const char *why, char *fault)
{
	g_clear_pointer(&entry->value, g_free);
	g_free(entry->fault);
	entry->fault = fault;
	entry->why = why;
}

/* Of two entries with one key, @entry being the later one. */
static gboolean
counts(struct import *import, struct import_entry *entry, const char *form)
{
	struct import_entry *other = g_hash_table_lookup(import->keys, form);
	gboolean last = import->format->last_wins;
	struct import_entry *out = last ? other : entry;

	if (other != NULL)
		leave_out(out, "key given twice",
		    g_strdup_printf("%s:%u: %s: key given twice; "
				    "the one in line %u counts",
			import->name, out->line, out->shown,
			last ? entry->line : other->line));
	if (other == NULL || last)
		g_hash_table_insert(import->keys, g_strdup(form), entry);
	return other == NULL || last;
}

struct import_entry *
import_begin(struct import *import, const struct import_text *key)
{
	struct import_entry *entry = add(import, key->line);
	g_autofree char *text = import_dup(key);
	g_autofree char *form =
	    text == NULL ? NULL : key_form(import->format, text);

	if (form == NULL) {
		import_fault(import, entry, key, "bad key",
		    import->format->keys);
		return NULL;
	}
	entry->key = key_text(text, form);
	entry->shown = g_strdup(form);
	if (g_ascii_strcasecmp(form, MAPKEY_ALL) == 0) {
		import_unsaid(import, entry,
		    "this key would stand for everything else");
		return NULL;
	}
	return counts(import, entry, form) ? entry : NULL;
}

struct import_entry *
import_begin_keyless(struct import *import, unsigned line)
{
	return add(import, line);
}

void
import_value(struct import *import, struct import_entry *entry, char *value)
{
	const struct route_origin origin = {import->name, entry->line, 1};
	g_autoptr(Route) route =
	    route_parse(value, strlen(value), &origin, NULL);

	entry->value = value;
	if (route == NULL)
		import_unsaid(import, entry, TOO_MANY);
}

void
import_fault(struct import *import, struct import_entry *entry,
    const struct import_text *where, const char *what, const char *expected)
{
	leave_out(entry, what,
	    g_strdup_printf("%s:%u:%u: %s; expected %s", import->name,
		where->line, where->column, what, expected));
}

void
import_error(struct import_entry *entry, const GError *error)
{
	leave_out(entry, "bad route", g_strdup(error->message));
}

void
import_unsaid(struct import *import, struct import_entry *entry,
    const char *why)
{
	leave_out(entry, why,
	    g_strdup_printf("%s:%u: %s: cannot be said here: %s", import->name,
		entry->line, entry->shown, why));
}

void
import_login(struct import *import, struct import_entry *entry, const char *why,
    char *relay, char *user)
{
	import_unsaid(import, entry, why);
	entry->relay = relay;
	entry->user = user;
}

static gboolean
check_host(struct import *import, struct import_entry *entry,
    const struct import_text *where, const char *host)
{
	const struct route_origin origin = {import->name, where->line,
	    where->column};
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) route =
	    route_parse(host, strlen(host), &origin, &error);

	if (route == NULL) {
		import_error(entry, error);
		return FALSE;
	}
	if (route->kind != ROUTE_HOSTS || route->destinations->len != 1 ||
	    strchr(host, '/') != NULL) {
		import_fault(import, entry, where, "bad host",
		    "name, [name], IPv4 address or [IPv6 address]");
		return FALSE;
	}
	return TRUE;
}

gboolean
import_add_host(struct import *import, struct import_entry *entry,
    const struct import_text *where, const char *host,
    struct import_hosts *hosts)
{
	if (hosts->count == ROUTE_DESTINATIONS_MAX) {
		import_unsaid(import, entry, TOO_MANY);
		return FALSE;
	}
	if (!check_host(import, entry, where, host))
		return FALSE;
	g_string_append_printf(hosts->value, "%s%s",
	    hosts->count > 0 ? ", " : "", host);
	if (!hosts->alone)
		g_string_append_printf(hosts->value, "/pri=%u",
		    hosts->level * PRIORITY_STEP);
	hosts->count++;
	return TRUE;
}
