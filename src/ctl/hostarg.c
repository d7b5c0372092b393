/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/ctl.h"
#include "ctl/hostarg.h"
#include "route/route.h"
#include "util/printable.h"

/* As much of an argument as a message quotes. */
#define QUOTE_MAX 80

#define HOST_FORMS "NAME, NAME:PORT, [ADDRESS]:PORT or an address"

static void
hostarg_free(gpointer data)
{
	struct hostarg *arg = data;

	g_free(arg->name);
	g_free(arg);
}

/* Of what is known to be a destination: the colon before a port is alone. */
static gboolean
has_port(const char *text)
{
	const char *colon = strrchr(text, ':');

	if (text[0] == '[')
		return !g_str_has_suffix(text, "]");
	return colon != NULL && strchr(text, ':') == colon;
}

static struct hostarg *
refuse(const char *text, const char *why)
{
	g_autofree char *shown = printable(text, QUOTE_MAX);

	complain("bad host \"%s\": %s", shown, why);
	return NULL;
}

static struct hostarg *
parse(const char *text)
{
	const struct route_origin origin = {"host", 1, 1};
	g_autoptr(Route) route = NULL;
	g_autoptr(GError) error = NULL;
	const struct destination *destination;
	struct hostarg *arg;

	/* Before an option, the next host or a comment. */
	if (text[0] == '\0' || strpbrk(text, "/,# \t\r\n\v\f") != NULL)
		return refuse(text, "expected " HOST_FORMS);
	route = route_parse(text, strlen(text), &origin, &error);
	if (route == NULL)
		return refuse(text, strstr(error->message, ": ") + 2);
	if (route->kind != ROUTE_HOSTS)
		return refuse(text, "expected " HOST_FORMS);
	destination = g_ptr_array_index(route->destinations, 0);
	arg = g_new0(struct hostarg, 1);
	arg->name = g_strdup(destination->name);
	arg->port = has_port(text) ? destination->port : 0;
	return arg;
}

gboolean
hostarg_matches(const struct hostarg *arg, const char *name, guint16 port)
{
	return (arg->port == 0 || arg->port == port) &&
	    strcmp(arg->name, name) == 0;
}

GPtrArray *
hostarg_parse_all(int count, char **texts)
{
	g_autoptr(GPtrArray) args =
	    g_ptr_array_new_with_free_func(hostarg_free);

	for (int i = 0; i < count; i++) {
		struct hostarg *arg = parse(texts[i]);

		if (arg == NULL)
			return NULL;
		g_ptr_array_add(args, arg);
	}
	return g_steal_pointer(&args);
}
