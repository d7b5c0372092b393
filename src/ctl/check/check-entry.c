/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One entry of the route map.  The parser stops at the first fault; here it
 * begins anew behind the next comma.
 */
#include <config.h>

#include <string.h>

#include "ctl/check/check-entry.h"
#include "route/routemap.h"

/* A place in an entry's value. */
struct spot {
	const char *at;
	const char *end;
	struct route_origin origin;
};

static struct spot
value_spot(const char *path, const struct maptext_entry *entry)
{
	return (struct spot){
	    .at = entry->value,
	    .end = entry->value + entry->value_length,
	    .origin = {path, entry->line, entry->column},
	};
}

static void
step(struct spot *spot)
{
	if (*spot->at == '\n') {
		spot->origin.line++;
		spot->origin.column = 1;
	} else {
		spot->origin.column++;
	}
	spot->at++;
}

/* Goes over blanks and whole lines of comment, as route.c does. */
static void
skip_blanks(struct spot *spot)
{
	gboolean begins = FALSE; /* a line other than the first */

	while (spot->at < spot->end &&
	    (g_ascii_isspace(*spot->at) || (begins && *spot->at == '#'))) {
		if (*spot->at == '#') {
			while (spot->at < spot->end && *spot->at != '\n')
				step(spot);
			continue;
		}
		begins = begins || *spot->at == '\n';
		step(spot);
	}
}

/* Goes behind the next comma that divides destinations. */
static gboolean
skip_comma(struct spot *spot)
{
	for (;;) {
		if (spot->at == spot->end)
			return FALSE;
		if (g_ascii_isspace(*spot->at)) {
			skip_blanks(spot);
			continue;
		}
		if (*spot->at == ',') {
			step(spot);
			return TRUE;
		}
		step(spot);
	}
}

/* Goes to where "path:line:column: ..." says that the fault is. */
static void
go_to_fault(struct spot *spot, const char *message)
{
	const char *at = message + strlen(spot->origin.name);
	char *end;
	guint64 line = g_ascii_strtoull(at + 1, &end, 10);
	guint64 column = g_ascii_strtoull(end + 1, NULL, 10);

	while (spot->at < spot->end &&
	    (spot->origin.line < line ||
		(spot->origin.line == line && spot->origin.column < column)))
		step(spot);
}

struct route *
check_entry(struct findings *findings, const char *path,
    const struct maptext_entry *entry)
{
	struct spot spot = value_spot(path, entry);
	g_autoptr(GError) error = NULL;
	struct route *route = routemap_parse(path, entry, &error);

	if (route != NULL)
		return route;
	for (;;) {
		g_autoptr(Route) rest = NULL;

		finding_error(findings, error);
		go_to_fault(&spot, error->message);
		if (!skip_comma(&spot))
			return NULL;
		g_clear_error(&error);
		rest = route_parse(spot.at, (gsize)(spot.end - spot.at),
		    &spot.origin, &error);
		if (rest != NULL)
			return NULL;
	}
}

char *
check_entry_place(const char *path, const struct maptext_entry *entry,
    guint index)
{
	struct spot spot = value_spot(path, entry);

	while (index-- > 0)
		skip_comma(&spot);
	skip_blanks(&spot);
	return g_strdup_printf("%s:%u:%u", path, spot.origin.line,
	    spot.origin.column);
}
