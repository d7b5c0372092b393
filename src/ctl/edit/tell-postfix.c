/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/edit/tell-postfix.h"
#include "ctl/postconf.h"
#include "ctl/transport.h"
#include "route/maplmdb.h"
#include "route/maptext.h"
#include "util/printable.h"

/* postmap(1) at millions of routes, on a slow disk. */
#define POSTMAP_TIME (30 * G_TIME_SPAN_MINUTE)

/* As much of a complaint as is shown. */
#define COMPLAINT_SHOWN 1000

/* A set; entries without a value are none to Postfix. */
static GHashTable *
keys_of(const char *text, gsize length)
{
	GHashTable *keys =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	struct maptext_entry entry;
	struct maptext map;

	maptext_begin(&map, text, length);
	while (maptext_next(&map, &entry)) {
		if (entry.has_value)
			g_hash_table_add(keys,
			    g_ascii_strdown(entry.key,
				(gssize)(entry.key_length + entry.colon)));
	}
	return keys;
}

gboolean
tell_postfix_keys_differ(const char *a, gsize a_length, const char *b,
    gsize b_length)
{
	g_autoptr(GHashTable) old = keys_of(a, a_length);
	g_autoptr(GHashTable) new = keys_of(b, b_length);
	GHashTableIter iter;
	gpointer key;

	if (g_hash_table_size(old) != g_hash_table_size(new))
		return TRUE;
	g_hash_table_iter_init(&iter, old);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		if (!g_hash_table_contains(new, key))
			return TRUE;
	}
	return FALSE;
}

/* @argv ends with NULL.  FALSE: complain() has said why. */
static gboolean
run(const char *const *argv, const char *what)
{
	const struct command command = {.argv = argv, .time = POSTMAP_TIME};
	g_autofree char *output = NULL;
	g_autofree char *complaint = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *shown = NULL;
	int status = command_run(&command, &output, &complaint, &error);

	if (status == 0) {
		say("%s: done\n", what);
		return TRUE;
	}
	shown = printable(status < 0 ? error->message : g_strstrip(complaint),
	    COMPLAINT_SHOWN);
	complain("%s: %s; the map is installed, but this is left to do", what,
	    shown);
	return FALSE;
}

/* Is there a table of Postfix's that was read when a process started? */
static gboolean
is_held(const char *routes)
{
	g_autofree char *table = transport_table(routes);

	return postconf_mentions(NULL, table);
}

gboolean
tell_postfix(const char *routes, gboolean keys_differ)
{
	const char *const postmap[] = {"postmap", routes, NULL};
	const char *const reload[] = {"postfix", "reload", NULL};
	g_autofree char *what = g_strconcat("postmap ", routes, NULL);

	/* Postfix sees by itself that such a file has changed. */
	if (maplmdb_is(routes))
		return run(postmap, what);
	if (!keys_differ || !is_held(routes))
		return TRUE;
	return run(reload, "postfix reload");
}
