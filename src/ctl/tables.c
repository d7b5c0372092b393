/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/tables.h"
#include "util/printable.h"

/* As much of a complaint as a message quotes. */
#define COMPLAINT_SHOWN 300

struct table {
	GHashTable *values; /* by key, NULL where it has none */
	GError *error;      /* why it cannot say; NULL: it can */
};

struct tables {
	GHashTable *known; /* of struct table, by its "type:name" */
};

static void
table_free(gpointer data)
{
	struct table *table = data;

	g_hash_table_destroy(table->values);
	g_clear_error(&table->error);
	g_free(table);
}

struct tables *
tables_new(void)
{
	struct tables *tables = g_new(struct tables, 1);

	tables->known =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, table_free);
	return tables;
}

void
tables_free(struct tables *tables)
{
	g_hash_table_destroy(tables->known);
	g_free(tables);
}

static struct table *
find_table(const struct tables *tables, const char *map)
{
	struct table *table = g_hash_table_lookup(tables->known, map);

	if (table != NULL)
		return table;
	table = g_new0(struct table, 1);
	table->values =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_hash_table_insert(tables->known, g_strdup(map), table);
	return table;
}

/* postmap(1) at @map for the lines @keys; the exit status, -1 with an error. */
static int
run_postmap(const char *map, const char *keys, char **ret_output,
    char **ret_complaint, GError **error)
{
	const char *const argv[] = {"postmap", "-q", "-", map, NULL};
	const struct command command = {.argv = argv, .input = keys};

	return command_run(&command, ret_output, ret_complaint, error);
}

static void
set_error(const char *complaint, GError **error)
{
	g_autofree char *shown = printable(complaint, COMPLAINT_SHOWN);

	g_set_error(error, COMMAND_ERROR, COMMAND_ERROR_FAILED, "%s", shown);
}

/* "key TAB value" for each key that there is. */
static void
take_answers(const struct table *table, char *output)
{
	for (char *line = output; line != NULL && line[0] != '\0';) {
		char *end = strchr(line, '\n');
		char *tab;

		if (end != NULL)
			*end = '\0';
		tab = strchr(line, '\t');
		if (tab != NULL) {
			*tab = '\0';
			if (g_hash_table_contains(table->values, line))
				g_hash_table_insert(table->values,
				    g_strdup(line), g_strdup(tab + 1));
		}
		line = end != NULL ? end + 1 : NULL;
	}
}

/* Of keys, those that are lines and have not been asked for. */
static char *
lines_of(const struct table *table, const char *const *keys)
{
	g_autoptr(GString) lines = g_string_new(NULL);

	for (; *keys != NULL; keys++) {
		if (g_hash_table_contains(table->values, *keys))
			continue;
		g_hash_table_insert(table->values, g_strdup(*keys), NULL);
		if (**keys != '\0' && strchr(*keys, '\n') == NULL)
			g_string_append_printf(lines, "%s\n", *keys);
	}
	return g_strdup(lines->str);
}

void
tables_ask(struct tables *tables, const char *map, const char *const *keys)
{
	struct table *table = find_table(tables, map);
	g_autofree char *lines = NULL;
	g_autofree char *output = NULL;
	g_autofree char *complaint = NULL;
	int status;

	if (table->error != NULL)
		return;
	lines = lines_of(table, keys);
	if (lines[0] == '\0')
		return;
	status = run_postmap(map, lines, &output, &complaint, &table->error);
	if (status < 0)
		return;
	/* That it has none of them is status 1, and so is any trouble. */
	if (status > 1 || strstr(complaint, "fatal: ") != NULL)
		set_error(g_strstrip(complaint), &table->error);
	else
		take_answers(table, output);
}

void
tables_ask_all(struct tables *tables, char *const *maps,
    const char *const *keys)
{
	for (; *maps != NULL; maps++)
		tables_ask(tables, *maps, keys);
}

gboolean
tables_look_up(struct tables *tables, const char *map, const char *key,
    char **ret_value, GError **error)
{
	const char *const keys[] = {key, NULL};
	const struct table *table;

	tables_ask(tables, map, keys);
	table = find_table(tables, map);
	if (table->error != NULL) {
		g_propagate_error(error, g_error_copy(table->error));
		return FALSE;
	}
	*ret_value = g_strdup(g_hash_table_lookup(table->values, key));
	return TRUE;
}

gboolean
tables_first(struct tables *tables, char *const *maps, const char *key,
    const char **ret_map, char **ret_value)
{
	*ret_map = NULL;
	for (gsize i = 0; maps[i] != NULL; i++) {
		if (!tables_look_up(tables, maps[i], key, ret_value, NULL))
			return FALSE;
		if (*ret_value != NULL) {
			*ret_map = maps[i];
			return TRUE;
		}
	}
	return TRUE;
}

gboolean
tables_try(const char *map, GError **error)
{
	const char *path = strchr(map, ':') + 1;
	g_autofree char *output = NULL;
	g_autofree char *complaint = NULL;
	g_auto(GStrv) lines = NULL;

	if (run_postmap(map, "*\n", &output, &complaint, error) < 0)
		return FALSE;
	/* It warns only where Postfix's daemons refuse the whole table. */
	lines = g_strsplit(complaint, "\n", -1);
	for (gsize i = 0; lines[i] != NULL; i++) {
		if (strstr(lines[i], path) == NULL &&
		    strstr(lines[i], "fatal: ") == NULL)
			continue;
		set_error(lines[i], error);
		return FALSE;
	}
	return TRUE;
}
