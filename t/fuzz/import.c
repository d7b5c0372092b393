/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of other mailers: every entry is a route or has a fault, and what is
 * printed of it is an entry of a route map.
 */
#include <config.h>

#include "fuzz/printed.h"
#include "route/mapkey.h"
/* For how it frees an entry, which nobody else has to know. */
#include "ctl/import/import.c" /* NOLINT */

/* As the command prints it. */
static void
check_printed(const struct import_entry *entry)
{
	g_autofree char *text =
	    g_strdup_printf("%-23s %s\n", entry->key, entry->value);
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) route = NULL;
	g_autofree char *key = NULL;
	struct maptext_entry read;
	struct maptext walk;

	maptext_begin(&walk, text, strlen(text));
	g_assert_true(maptext_next(&walk, &read));
	g_assert_cmpmem(read.key, read.key_length, entry->key,
	    strlen(entry->key));
	key = mapkey_of(&read);
	g_assert_nonnull(key);
	route = routemap_parse("/map", &read, &error);
	g_assert_no_error(error);
	printed_assert_same(route);
	g_assert_false(maptext_next(&walk, &read));
}

static void
check_entry(const struct import_entry *entry)
{
	g_assert_cmpint(entry->value == NULL, ==, entry->fault != NULL);
	if (entry->value != NULL) {
		check_printed(entry);
		return;
	}
	fuzz_assert_line(entry->fault);
	fuzz_assert_line(entry->why);
	if (entry->shown != NULL)
		fuzz_assert_line(entry->shown);
	if (entry->relay != NULL)
		fuzz_assert_line(entry->user);
}

static void
check_format(const struct import_format *format, const char *text, gsize size)
{
	struct import import = {.name = "table", .format = format};

	import.entries = g_ptr_array_new_with_free_func(entry_free);
	import.keys =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	format->read(&import, text, size);
	for (guint i = 0; i < import.entries->len; i++)
		check_entry(import.entries->pdata[i]);
	g_hash_table_unref(import.keys);
	g_ptr_array_unref(import.entries);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	/* The command has the text as a string. */
	g_autofree char *text = g_malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	check_format(&import_esa, text, size);
	check_format(&import_qmail, text, size);
	check_format(&import_mailertable, text, size);
	check_format(&import_transport, text, size);
	import_guess(text, size);
	return 0;
}
