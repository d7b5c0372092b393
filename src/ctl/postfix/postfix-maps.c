/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "ctl/ctl.h"
#include "ctl/postconf.h"
#include "ctl/postfix/postfix-maps.h"
#include "ctl/transport.h"
#include "util/printable.h"

/* As much of their text as a complaint quotes. */
#define TEXT_SHOWN 300

/*
 * The new transport_maps in place of @value; NULL: it is to stay, since a
 * table of its own leads mail to the service.
 */
static char *
new_maps(const struct postfix *postfix, const char *value, const char *expanded)
{
	const char *transport = postfix_transport(postfix);
	g_autofree char *ours = transport_pipemap(postfix->routes, transport);
	g_autofree char *map = NULL;
	g_autofree char *shown = NULL;
	enum transport_sight sight = transport_see(expanded, transport, &map);

	if (map != NULL)
		shown = printable(map, TEXT_SHOWN);
	switch (sight) {
	case TRANSPORT_LEADS:
		complain("transport_maps leads mail to %s by %s, and stays so",
		    transport, shown);
		return NULL;
	case TRANSPORT_HIDDEN:
		complain("transport_maps has %s, which cannot be read here; "
			 "see whether it leads mail to %s already",
		    shown, transport);
		break;
	case TRANSPORT_NO:
		break;
	}
	return g_strconcat("transport_maps=", value,
	    value[0] != '\0' ? ", " : "", ours, NULL);
}

/*
 * The pipemap that leads the routes the other way, by pipe(8) where LMTP is
 * wanted, is replaced: behind it another one would be of no use.  NULL: there
 * is none.
 */
static char *
other_way(const struct postfix *postfix, const char *value)
{
	const struct postfix other = {postfix->conf, postfix->routes,
	    !postfix->lmtp};
	g_autofree char *text = NULL;
	g_auto(GStrv) list = transport_split(value);
	gboolean any = FALSE;

	for (gsize i = 0; list[i] != NULL; i++) {
		g_autofree char *map =
		    transport_find(list[i], postfix_transport(&other));

		if (map == NULL || !transport_reads(map, postfix->routes))
			continue;
		g_free(list[i]);
		list[i] = transport_pipemap(postfix->routes,
		    postfix_transport(postfix));
		any = TRUE;
	}
	text = g_strjoinv(", ", list);
	return any ? g_strconcat("transport_maps=", text, NULL) : NULL;
}

gboolean
postfix_maps(const struct postfix *postfix, const char *folder, char **ret_maps,
    GError **error)
{
	const char *transport = postfix_transport(postfix);
	g_autofree char *value =
	    postconf_value(folder, "transport_maps", FALSE, error);
	/* The copy is no ${config_directory}; its maps are as they are here. */
	g_autofree char *expanded =
	    postconf_value(NULL, "transport_maps", TRUE, NULL);
	g_autofree char *known = NULL;

	if (value == NULL)
		return FALSE;
	if (expanded == NULL)
		expanded = g_strdup(value);
	known = transport_find(expanded, transport);
	if (known == NULL) {
		*ret_maps = other_way(postfix, value);
		if (*ret_maps == NULL)
			*ret_maps = new_maps(postfix, value, expanded);
		return TRUE;
	}
	if (!transport_reads(known, postfix->routes))
		complain("transport_maps leads %s to %s, and stays so; but "
			 "the routes are in %s",
		    known, transport, postfix->routes);
	return TRUE;
}
