/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "conf/brackets.h"

#define BEGIN "[host ["

/* For private use, so they are in no text (Unicode, section 23.5). */
#define OPEN  "\xee\x80\x80"
#define CLOSE "\xee\x80\x81"

char *
brackets_hide(const char *group)
{
	GString *hidden = g_string_new(NULL);

	for (; *group != '\0'; group++) {
		if (*group == '[')
			g_string_append(hidden, OPEN);
		else if (*group == ']')
			g_string_append(hidden, CLOSE);
		else
			g_string_append_c(hidden, *group);
	}
	return g_string_free(hidden, FALSE);
}

/* The bracket that ends a group with others in its name; NULL: it is none. */
static char *
find_end(char *line)
{
	char *at = line + strspn(line, " \t");
	char *end;

	if (!g_str_has_prefix(at, BEGIN))
		return NULL;
	at += strlen(BEGIN);
	at += strcspn(at, "[]");
	if (*at != ']')
		return NULL;
	end = at + 1 + strcspn(at + 1, "[]");
	if (*end != ']' || end[1 + strspn(end + 1, " \t\r")] != '\0')
		return NULL;
	return end;
}

/* @line, or what takes its place. */
static char *
hide_line(char *line)
{
	char *end = find_end(line);
	g_autofree char *name = NULL;

	if (end == NULL)
		return line;
	*end = '\0';
	name = brackets_hide(strchr(line, '[') + 1);
	g_free(line);
	return g_strdup_printf("[%s]", name);
}

char *
brackets_hide_all(const char *text, gsize length)
{
	g_autofree char *copy = g_strndup(text, length);
	g_auto(GStrv) lines = NULL;

	if (strstr(copy, BEGIN) == NULL)
		return g_steal_pointer(&copy);
	lines = g_strsplit(copy, "\n", -1);
	for (gsize i = 0; lines[i] != NULL; i++)
		lines[i] = hide_line(lines[i]);
	return g_strjoinv("\n", lines);
}
