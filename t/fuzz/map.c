/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps: entries lie in the text, in the order of its lines; each alone is the
 * same entry again, and has one key, and a route or a fault.
 */
#include <config.h>

#include "fuzz/printed.h"
#include "route/mapkey.h"
#include "route/routemap.h"

static void
check_place(const struct maptext_entry *entry, const char *text, gsize size)
{
	g_assert_true(entry->key >= text);
	g_assert_true(entry->key + entry->key_length <= text + size);
	g_assert_true(entry->value >= entry->key);
	g_assert_true(entry->value + entry->value_length <= text + size);
	g_assert_cmpuint(entry->column, >, 0);
}

/* By itself, behind an empty line: a byte order mark is one no longer. */
static void
check_alone(const struct maptext_entry *entry)
{
	g_autoptr(GString) text = g_string_new("\n");
	struct maptext_entry again;
	struct maptext walk;

	g_string_append_len(text, entry->key, (gssize)entry->key_length);
	g_string_append(text, entry->colon ? ":" : "");
	g_string_append_len(text, entry->value, (gssize)entry->value_length);
	maptext_begin(&walk, text->str, text->len);
	g_assert_true(maptext_next(&walk, &again));
	g_assert_cmpmem(again.key, again.key_length, entry->key,
	    entry->key_length);
	g_assert_cmpmem(again.value, again.value_length, entry->value,
	    entry->value_length);
	g_assert_cmpint(again.has_value, ==, entry->has_value);
	g_assert_cmpint(again.ascii, ==, entry->ascii);
	g_assert_false(maptext_next(&walk, &again));
}

static void
check_key(const struct maptext_entry *entry)
{
	g_autofree char *key = mapkey_of(entry);
	struct maptext_entry again = *entry;
	g_autofree char *key_again = NULL;

	/* A domain by this name, as letters that IDNA drops can spell it. */
	if (key == NULL || strcmp(key, "all") == 0)
		return;
	again.key = key;
	again.key_length = strlen(key);
	again.ascii = g_str_is_ascii(key);
	again.colon = FALSE;
	key_again = mapkey_of(&again);
	g_assert_cmpstr(key_again, ==, key);
}

static void
check_route(const struct maptext_entry *entry)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) route = routemap_parse("/map", entry, &error);

	if (route == NULL) {
		fuzz_assert_error(error);
		return;
	}
	g_assert_no_error(error);
	g_assert_cmpuint(route->line, ==, entry->line);
	printed_assert_same(route);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autofree char *text = g_memdup2(data, size);
	struct maptext_entry entry;
	struct maptext walk;
	unsigned line = 0;

	if (size == 0)
		return 0;
	maptext_begin(&walk, text, size);
	while (maptext_next(&walk, &entry)) {
		g_assert_cmpuint(entry.line, >, line);
		line = entry.line;
		check_place(&entry, text, size);
		check_alone(&entry);
		check_key(&entry);
		check_route(&entry);
	}
	return 0;
}
