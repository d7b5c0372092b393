/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/check/check-entry.h"
#include "ctl/check/check-keys.h"
#include "route/mapcopy.h"
#include "route/mapkey.h"
#include "route/routemap.h"
#include "util/printable.h"

/* As much of a key as a message quotes. */
#define KEY_SHOWN 64

/* Where the first entry with a key begins. */
struct first {
	const char *at;
	unsigned line;
};

struct keys {
	const char *path;
	GBytes *copy;
	GArray *firsts;     /* of struct first */
	GStringChunk *text; /* of the tables' keys */
	/* Of indices into firsts, plus one. */
	GHashTable *same; /* by the key as smtproute compares it */
	GHashTable
	    *postfix; /* by Postfix's, where that is no other's in same */
};

struct keys *
keys_new(const char *path, GBytes *copy)
{
	struct keys *keys = g_new(struct keys, 1);

	*keys = (struct keys){
	    .path = path,
	    .copy = copy,
	    .firsts = g_array_new(FALSE, FALSE, sizeof(struct first)),
	    .text = g_string_chunk_new(64 * 1024),
	    .same = g_hash_table_new(g_str_hash, g_str_equal),
	    .postfix = g_hash_table_new(g_str_hash, g_str_equal),
	};
	return keys;
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

	/* Without lines, the key is all that is before the value. */
	if (entry->line == 0)
		end = entry->key + entry->key_length + entry->colon;
	while (at < end && !g_ascii_isspace(*at))
		at++;
	return g_ascii_strdown(entry->key, at - entry->key);
}

/* FALSE: there was none with this key. */
static gboolean
find_first(const struct keys *keys, GHashTable *table, const char *key,
    struct maptext_entry *ret_first)
{
	guint index = GPOINTER_TO_UINT(g_hash_table_lookup(table, key));
	const struct first *first;
	struct maptext walk;

	if (index == 0)
		return FALSE;
	first = &g_array_index(keys->firsts, struct first, index - 1);
	mapcopy_begin(keys->path, keys->copy, &walk);
	walk.at = first->at;
	walk.line = first->line > 0 ? first->line - 1 : 0;
	return maptext_next(&walk, ret_first);
}

/* The entry is the first with this key. */
static void
insert(struct keys *keys, GHashTable *table, const char *key,
    const struct maptext_entry *entry)
{
	gboolean records = entry->line == 0;
	const struct first first = {
	    .at = entry->key - (records ? sizeof(struct maptext_record) : 0),
	    .line = entry->line,
	};

	g_array_append_val(keys->firsts, first);
	g_hash_table_insert(table, g_string_chunk_insert(keys->text, key),
	    GUINT_TO_POINTER(keys->firsts->len));
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
say_again(const struct keys *keys, const struct maptext_entry *entry,
    const struct maptext_entry *first, struct findings *findings)
{
	g_autofree char *where = check_entry_line(keys->path, entry);
	g_autofree char *key = shown_key(entry);

	finding(findings, SEVERITY_WARNING, where,
	    "key '%s' again; expected once: line %u counts, and Postfix "
	    "refuses a texthash table that has a key twice (451 Temporary "
	    "lookup failure)",
	    key, first->line);
}

static void
say_same(const struct keys *keys, const struct maptext_entry *entry,
    const struct maptext_entry *first, struct findings *findings)
{
	g_autofree char *where = check_entry_line(keys->path, entry);
	g_autofree char *key = shown_key(entry);
	g_autofree char *other = shown_key(first);

	if (entry->line == 0)
		finding(findings, SEVERITY_WARNING, where,
		    "key '%s%s' is the same as '%s%s'; expected one of them",
		    key, entry->colon ? ":" : "", other,
		    first->colon ? ":" : "");
	else
		finding(findings, SEVERITY_WARNING, where,
		    "key '%s' is the same as that of line %u; expected once: "
		    "line %u counts",
		    key, first->line, first->line);
}

void
keys_add(struct keys *keys, const struct maptext_entry *entry,
    struct findings *findings)
{
	g_autofree char *same = mapkey_of(entry);
	g_autofree char *form = postfix_key(entry);
	struct maptext_entry first;

	if (find_first(keys, keys->postfix, form, &first)) {
		say_again(keys, entry, &first, findings);
		return;
	}
	if (same == NULL || strcmp(same, form) != 0)
		insert(keys, keys->postfix, form, entry);
	if (same == NULL)
		return;
	if (!find_first(keys, keys->same, same, &first)) {
		insert(keys, keys->same, same, entry);
		return;
	}
	if (strcmp(same, form) == 0) {
		g_autofree char *first_form = postfix_key(&first);

		if (strcmp(first_form, form) == 0) {
			say_again(keys, entry, &first, findings);
			return;
		}
		insert(keys, keys->postfix, form, entry);
	}
	if (!equal_values(&first, entry))
		say_same(keys, entry, &first, findings);
}

void
keys_free(struct keys *keys)
{
	g_hash_table_destroy(keys->postfix);
	g_hash_table_destroy(keys->same);
	g_string_chunk_free(keys->text);
	g_array_free(keys->firsts, TRUE);
	g_free(keys);
}
