/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One pass over the file for one lookup: an agent that serves one message
 * would build an index only to throw it away.
 */
#include <config.h>

#include <string.h>

#include "domain.h"
#include "printable.h"
#include "routemap.h"
#include "slurp.h"

#define KEY_ALL "ALL"

/* As much of a nexthop as a message quotes. */
#define QUOTE_MAX 64

/* What the keys are compared with. */
struct wanted {
	const char *key;
	gsize length;
	gboolean named; /* is a route's name: no other key stands in for it */
};

struct line {
	const char *at;
	const char *end; /* the line end, or the text's */
	unsigned number; /* from 1 */
};

struct entry {
	gsize fit; /* 0: none yet */
	const char *value;
	const char *end;
	unsigned line;
	unsigned column; /* of value */
	gboolean has_value;
	gboolean dns; /* what it means to have none: "ALL:" */
};

G_DEFINE_QUARK(smtproute_routemap_error, routemap_error)

static void *
file_error(const char *path, const char *reason, GError **error)
{
	g_set_error(error, ROUTEMAP_ERROR, ROUTEMAP_ERROR_FILE, "%s: %s", path,
	    reason);
	return NULL;
}

/* The form of wanted.key for a key that ASCII cannot be compared with. */
static char *
canonical(const char *key)
{
	g_autofree char *domain = NULL;

	if (key[0] == '[')
		return domain_literal_canonical(key, NULL);
	if (key[0] != '.')
		return domain_canonical(key, NULL);
	domain = domain_canonical(key + 1, NULL);
	return domain == NULL ? NULL : g_strconcat(".", domain, NULL);
}

static gboolean
key_is(const char *key, gsize length, const char *text)
{
	return length == strlen(text) &&
	    g_ascii_strncasecmp(key, text, length) == 0;
}

/*
 * How well a key fits: 0 not at all, "*" less than ".com", that less than
 * ".example.com", and best of all the domain itself.
 */
static gsize
fit_ascii(const char *key, gsize length, const struct wanted *wanted)
{
	if (length > 1 && key[length - 1] == '.')
		length--;
	if (key_is(key, length, wanted->key))
		return wanted->length + 1;
	if (wanted->named)
		return 0;
	if (key_is(key, length, "*") || key_is(key, length, KEY_ALL))
		return 1;
	if (length < 2 || key[0] != '.' || length >= wanted->length ||
	    wanted->key[0] == '[')
		return 0;
	return key_is(key, length, wanted->key + wanted->length - length)
	    ? length
	    : 0;
}

static gsize
fit(const char *key, gsize length, gboolean ascii, const struct wanted *wanted)
{
	g_autofree char *text = NULL;
	g_autofree char *form = NULL;

	if (ascii && key[0] != '[')
		return fit_ascii(key, length, wanted);
	text = g_strndup(key, length);
	form = strlen(text) == length ? canonical(text) : NULL;
	return form == NULL ? 0 : fit_ascii(form, strlen(form), wanted);
}

/* Where the key ends: at a blank, or the ':' of "key:", not of "[IPv6:...]". */
static const char *
key_end(const struct line *line, gboolean *ret_ascii)
{
	const char *at = line->at;
	gboolean bracket = FALSE;
	gboolean ascii = TRUE;

	for (; at < line->end && !g_ascii_isspace(*at); at++) {
		if (*at == ':' && !bracket)
			break;
		if (*at == '[' || *at == ']')
			bracket = *at == '[';
		ascii = ascii && (guchar)*at < 0x80;
	}
	*ret_ascii = ascii;
	return at;
}

static const char *
skip_blanks(const char *at, const char *end)
{
	while (at < end && g_ascii_isspace(*at))
		at++;
	return at;
}

/*
 * Takes the entry that begins with @line for @best if it fits better.  As in
 * Postfix the first of equal keys wins, where it has a value.
 */
static gboolean
begin_entry(const struct line *line, const struct wanted *wanted,
    struct entry *best)
{
	gboolean ascii;
	const char *at = key_end(line, &ascii);
	gsize length = (gsize)(at - line->at);
	gsize how = fit(line->at, length, ascii, wanted);
	gboolean colon = at < line->end && *at == ':';

	if (how == 0 || how < best->fit ||
	    (how == best->fit && (best->has_value || best->dns)))
		return FALSE;
	if (colon)
		at++;
	*best = (struct entry){
	    .fit = how,
	    .value = at,
	    .end = line->end,
	    .line = line->number,
	    .column = (unsigned)(at - line->at) + 1,
	    .has_value = skip_blanks(at, line->end) < line->end,
	    .dns = colon && key_is(line->at, length, KEY_ALL),
	};
	return TRUE;
}

static gboolean
next_line(const char **at, const char *end, struct line *line)
{
	const char *newline;

	if (*at == end)
		return FALSE;
	newline = memchr(*at, '\n', (gsize)(end - *at));
	line->at = *at;
	line->end = newline == NULL ? end : newline;
	line->number++;
	*at = newline == NULL ? end : newline + 1;
	return TRUE;
}

/*
 * Postfix's readlline(3): blank lines and comments are nothing, wherever they
 * stand; a line that begins with a blank continues the one before, and is
 * nothing at the file's beginning.
 */
static void
find_entry(const char *text, gsize length, const struct wanted *wanted,
    struct entry *best)
{
	const char *at = text;
	struct line line = {0};
	gboolean in_best = FALSE;

	while (next_line(&at, text + length, &line)) {
		const char *first = skip_blanks(line.at, line.end);

		if (first == line.end || *first == '#')
			continue;
		if (first == line.at) {
			in_best = begin_entry(&line, wanted, best);
		} else if (in_best) {
			best->end = line.end;
			best->has_value = TRUE;
		}
	}
}

static struct route *
parse_entry(const struct entry *entry, const char *path, GError **error)
{
	const struct route_origin origin = {
	    .name = path,
	    .line = entry->line,
	    .column = entry->column,
	};
	gboolean dns = entry->dns && !entry->has_value;
	const char *value = dns ? ROUTE_KEYWORD_DNS : entry->value;
	gsize length = dns ? strlen(value) : (gsize)(entry->end - entry->value);

	return route_parse(value, length, &origin, error);
}

static struct route *
look_up(const char *path, const struct wanted *wanted, GError **error)
{
	g_autofree char *text = NULL;
	struct entry best = {0};
	g_autofree char *reason = NULL;
	gsize length;

	reason = slurp(path, ROUTEMAP_SIZE_MAX, &text, &length);
	if (reason != NULL)
		return file_error(path, reason, error);
	find_entry(text, length, wanted, &best);
	if (best.fit == 0) {
		g_autofree char *key = printable(wanted->key, QUOTE_MAX);

		g_set_error(error, ROUTEMAP_ERROR, ROUTEMAP_ERROR_MISSING,
		    "no route %s %s in %s", wanted->named ? "named" : "for",
		    key, path);
		return NULL;
	}
	return parse_entry(&best, path, error);
}

gboolean
routemap_looks_up(const char *nexthop, const char *domain)
{
	g_autofree char *name = NULL;

	if (nexthop == NULL)
		return TRUE;
	name = canonical(nexthop);
	return g_strcmp0(name, domain) == 0;
}

struct route *
routemap_find(const char *path, const char *nexthop, const char *domain,
    GError **error)
{
	const struct route_origin origin = {"inline route", 1, 1};
	g_autofree char *name = NULL;
	struct wanted wanted = {.key = domain};

	if (!routemap_looks_up(nexthop, domain)) {
		if (strpbrk(nexthop, "[]:/,") != NULL)
			return route_parse(nexthop, strlen(nexthop), &origin,
			    error);
		name = canonical(nexthop);
		wanted.key = name == NULL ? nexthop : name;
		wanted.named = TRUE;
	}
	wanted.length = strlen(wanted.key);
	if (g_str_has_prefix(path, "lmdb:"))
		return file_error(path, "this version reads text maps only",
		    error);
	return look_up(path, &wanted, error);
}
