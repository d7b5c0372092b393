/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/postconf.h"

/* More than master.cf has services, and main.cf parameters. */
#define ARGUMENTS_MAX 16

/* @arguments: NULL at the end.  What postconf(1) says; NULL with an error. */
static char *
run_postconf(const char *folder, const char *const *arguments, GError **error)
{
	const char *argv[ARGUMENTS_MAX + 4] = {"postconf"};
	const struct command command = {.argv = argv};
	g_autofree char *output = NULL;
	g_autofree char *complaint = NULL;
	gsize count = 1;
	int status;

	if (folder != NULL) {
		argv[count++] = "-c";
		argv[count++] = folder;
	}
	for (gsize i = 0; arguments[i] != NULL; i++) {
		g_assert(i < ARGUMENTS_MAX);
		argv[count++] = arguments[i];
	}
	status = command_run(&command, &output, &complaint, error);
	if (status < 0)
		return NULL;
	if (status == 0)
		return g_steal_pointer(&output);
	command_failed(&command, complaint, error);
	return NULL;
}

char *
postconf_value(const char *folder, const char *name, gboolean expand,
    GError **error)
{
	const char *const arguments[] = {expand ? "-hx" : "-h", name, NULL};
	char *value = run_postconf(folder, arguments, error);

	return value == NULL ? NULL : g_strstrip(value);
}

char *
postconf_effective(const char *name)
{
	char *value = postconf_value(NULL, name, TRUE, NULL);

	return value != NULL ? value : g_strdup("");
}

gboolean
postconf_seconds(const char *text, guint64 *ret)
{
	static const struct {
		const char *suffix;
		guint64 seconds;
	} units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400},
	    {"w", 604800}};
	gsize digits = strspn(text, G_CSET_DIGITS);
	g_autofree char *number = g_strndup(text, digits);
	guint64 count;

	if (!g_ascii_string_to_unsigned(number, 10, 0, G_MAXINT32, &count,
		NULL))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
		if (strcmp(text + digits, units[i].suffix) == 0) {
			*ret = count * units[i].seconds;
			return TRUE;
		}
	}
	return FALSE;
}

char *
postconf_default(const char *name)
{
	const char *const arguments[] = {"-dh", name, NULL};
	char *value = run_postconf(NULL, arguments, NULL);

	return value == NULL ? NULL : g_strstrip(value);
}

/* Cuts @line, "name/type/field = value", into its parts. */
static gboolean
cut_line(char *line, char *parts[4])
{
	char *equal = strstr(line, " = ");
	char *field;
	char *type;

	if (equal == NULL)
		return FALSE;
	*equal = '\0';
	field = strrchr(line, '/');
	if (field == NULL)
		return FALSE;
	*field = '\0';
	type = strrchr(line, '/');
	if (type == NULL)
		return FALSE;
	*type = '\0';
	parts[0] = line;
	parts[1] = type + 1;
	parts[2] = field + 1;
	parts[3] = equal + strlen(" = ");
	return TRUE;
}

GPtrArray *
postconf_services(const char *folder, GError **error)
{
	static const char *const arguments[] = {"-F", NULL};
	g_autofree char *text = run_postconf(folder, arguments, error);
	g_auto(GStrv) lines = NULL;
	GPtrArray *services;

	if (text == NULL)
		return NULL;
	services = g_ptr_array_new_with_free_func((GDestroyNotify)service_free);
	lines = g_strsplit(text, "\n", -1);
	for (gsize i = 0; lines[i] != NULL; i++) {
		char *parts[4];

		if (!cut_line(lines[i], parts))
			continue;
		/* The first of an entry's lines. */
		if (strcmp(parts[2], "service") == 0)
			g_ptr_array_add(services,
			    service_new(parts[0], parts[1]));
		else if (services->len > 0)
			service_set(services->pdata[services->len - 1],
			    parts[2], parts[3]);
	}
	return services;
}

const struct service *
postconf_find(const GPtrArray *services, const char *name, const char *type)
{
	for (guint i = 0; i < services->len; i++) {
		const struct service *service = services->pdata[i];

		if (strcmp(service->name, name) == 0 &&
		    strcmp(service->type, type) == 0)
			return service;
	}
	return NULL;
}

gboolean
postconf_mentions(const char *folder, const char *table)
{
	static const char *const arguments[] = {"-n", "-x", NULL};
	g_autofree char *text = run_postconf(folder, arguments, NULL);
	gsize length = strlen(table);

	for (const char *at = text; at != NULL && *at != '\0'; at += length) {
		at = strstr(at, table);
		if (at == NULL)
			return FALSE;
		if (at[length] == '\0' || strchr(", \t\n}", at[length]) != NULL)
			return TRUE;
	}
	return FALSE;
}

gboolean
postconf_edit(const char *folder, const char *option, const char *const *edits,
    GError **error)
{
	const char *arguments[ARGUMENTS_MAX + 1] = {option};
	g_autofree char *output = NULL;

	for (gsize i = 0; edits[i] != NULL; i++) {
		g_assert(i + 1 < ARGUMENTS_MAX);
		arguments[i + 1] = edits[i];
	}
	output = run_postconf(folder, arguments, error);
	return output != NULL;
}
