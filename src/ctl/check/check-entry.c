/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One entry of the route map.  The parser stops at the first fault; here it
 * begins anew behind the next comma.
 */
#include <config.h>

#include <string.h>

#include "ctl/check/check-entry.h"
#include "route/routemap.h"

/* A route with so many is not mended one by one. */
#define FAULTS_MAX 100

/* A place in an entry's value. */
struct spot {
	const char *at;
	const char *end;
	struct route_origin origin;
};

/* @name: of the entry's origin. */
static struct spot
value_spot(const char *name, const struct maptext_entry *entry)
{
	return (struct spot){
	    .at = entry->value,
	    .end = entry->value + entry->value_length,
	    .origin = {name, entry->line, entry->column},
	};
}

static void
step(struct spot *spot)
{
	if (*spot->at == '\n' && spot->origin.line > 0) {
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

/* Goes to where route_place() says that the fault is. */
static void
go_to_fault(struct spot *spot, const char *message)
{
	const char *at = message + strlen(spot->origin.name);
	guint64 line = 0;
	guint64 column;
	char *end;

	if (spot->origin.line > 0) {
		line = g_ascii_strtoull(at + 1, &end, 10);
		at = end + 1;
	} else {
		at += strcspn(at, G_CSET_DIGITS);
	}
	column = g_ascii_strtoull(at, NULL, 10);
	while (spot->at < spot->end &&
	    (spot->origin.line < line ||
		(spot->origin.line == line && spot->origin.column < column)))
		step(spot);
}

/*
 * Goes on behind a fault of an option, at the next one of the same
 * destination.  FALSE: there is none; the spot is where it was.
 */
static gboolean
skip_option(struct spot *spot)
{
	struct spot next = *spot;

	/* What begins so has no options: "/dev/nul". */
	if (next.at < spot->end && *next.at == '/')
		return FALSE;
	while (next.at < spot->end && *next.at != ',' && *next.at != '/' &&
	    !g_ascii_isspace(*next.at))
		step(&next);
	if (next.at == spot->end || *next.at != '/')
		return FALSE;
	*spot = next;
	return TRUE;
}

/*
 * What is left at @spot: destinations, or, if it is at a '/', options of a
 * destination whose beginning is at fault and stands aside.
 */
static struct route *
parse_rest(const struct spot *spot, GError **error)
{
	struct route_origin origin = spot->origin;
	gsize length = (gsize)(spot->end - spot->at);
	g_autofree char *text = NULL;

	if (length == 0 || *spot->at != '/')
		return route_parse(spot->at, length, &origin, error);
	text = g_malloc(length + 1);
	text[0] = 'x';
	memcpy(text + 1, spot->at, length);
	origin.column--;
	return route_parse(text, length + 1, &origin, error);
}

/* Says the fault, and those behind it. */
static void
say_faults(struct findings *findings, const char *path,
    const struct maptext_entry *entry, const GError *first)
{
	g_autofree char *name = routemap_origin(path, entry);
	g_autoptr(GError) error = g_error_copy(first);
	struct spot spot = value_spot(name, entry);
	g_autofree char *where = NULL;

	for (guint i = 0; i < FAULTS_MAX; i++) {
		g_autoptr(Route) rest = NULL;

		finding_error(findings, error);
		/* The rest may be a million hosts. */
		if (g_error_matches(error, ROUTE_ERROR, ROUTE_ERROR_TOO_MANY))
			return;
		go_to_fault(&spot, error->message);
		if (!skip_option(&spot) && !skip_comma(&spot))
			return;
		g_clear_error(&error);
		rest = parse_rest(&spot, &error);
		if (rest != NULL)
			return;
	}
	where = check_entry_line(path, entry);
	finding(findings, SEVERITY_NOTE, where,
	    "there may be more faults behind these");
}

struct route *
check_entry(struct findings *findings, const char *path,
    const struct maptext_entry *entry)
{
	g_autoptr(GError) error = NULL;
	struct route *route = routemap_parse(path, entry, &error);

	if (route == NULL)
		say_faults(findings, path, entry, error);
	return route;
}

char *
check_entry_line(const char *path, const struct maptext_entry *entry)
{
	return entry->line > 0 ? g_strdup_printf("%s:%u:1", path, entry->line)
			       : routemap_origin(path, entry);
}

/* @name: of the entry's origin. */
static struct spot
destination_spot(const char *name, const struct maptext_entry *entry,
    guint index)
{
	struct spot spot = value_spot(name, entry);

	while (index-- > 0)
		skip_comma(&spot);
	skip_blanks(&spot);
	return spot;
}

char *
check_entry_place(const char *path, const struct maptext_entry *entry,
    guint index)
{
	g_autofree char *name = routemap_origin(path, entry);
	struct spot spot = destination_spot(name, entry, index);

	return route_place(&spot.origin);
}

char *
check_entry_text(const struct maptext_entry *entry, guint index)
{
	struct spot spot = destination_spot("", entry, index);
	const char *end = spot.at;

	while (end < spot.end && *end != ',' && *end != '/' &&
	    !g_ascii_isspace(*end))
		end++;
	return g_strndup(spot.at, (gsize)(end - spot.at));
}
