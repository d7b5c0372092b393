/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A destination holds neither blanks nor commas, so a route is words between
 * commas; a span is what is left of such a word, or of the text.
 */
#include <config.h>

#include <string.h>

#include "address/domain.h"
#include "address/endpoint.h"
#include "conf/authname.h"
#include "route/route.h"
#include "util/printable.h"

#define PORT_SUBMISSIONS 465 /* RFC 8314 section 7.3 */

/* As much of the route's text as a message quotes. */
#define QUOTE_MAX 40

#define HOST_FORMS "name, [name], IPv4 address or [IPv6 address]"

struct span {
	const char *at;
	const char *end;
	struct route_origin origin; /* of at */
};

G_DEFINE_QUARK(smtproute_route_error, route_error)

char *
route_place(const struct route_origin *origin)
{
	if (origin->line == 0)
		return g_strdup_printf("%s: column %u", origin->name,
		    origin->column);
	return g_strdup_printf("%s:%u:%u", origin->name, origin->line,
	    origin->column);
}

static void
destination_free(gpointer data)
{
	struct destination *destination = data;

	g_free(destination->name);
	g_free(destination->auth);
	g_free(destination->bind);
	g_free(destination->tls_name);
	g_free(destination);
}

static gboolean
is_empty(const struct span *span)
{
	return span->at == span->end;
}

static char *
text_of(const struct span *span)
{
	return g_strndup(span->at, (gsize)(span->end - span->at));
}

/* FALSE, so that parsers can return it. */
static gboolean
fail(const struct span *where, const char *what, const char *expected,
    GError **error)
{
	g_autofree char *place = route_place(&where->origin);

	g_set_error(error, ROUTE_ERROR, ROUTE_ERROR_SYNTAX,
	    "%s: %s; expected %s", place, what, expected);
	return FALSE;
}

/* The same with the text that is at fault. */
static gboolean
refuse(const struct span *found, const char *what, const char *expected,
    GError **error)
{
	g_autofree char *text = text_of(found);
	g_autofree char *quote = printable(text, QUOTE_MAX);
	g_autofree char *fault = g_strdup_printf("bad %s '%s'", what, quote);

	return fail(found, fault, expected, error);
}

/* Leaves out the next @count bytes, no line end among them. */
static void
advance(struct span *span, gsize count)
{
	span->at += count;
	span->origin.column += (unsigned)count;
}

/* Cuts off and returns what stands before the next of the bytes in @stops. */
static struct span
cut(struct span *span, const char *stops)
{
	struct span head = *span;

	while (!is_empty(span) && strchr(stops, *span->at) == NULL)
		advance(span, 1);
	head.end = span->at;
	return head;
}

/*
 * The text's last blanks and comments are cut off instead, so that what is
 * missing there is missed right after the last word.
 */
static void
skip_blanks(struct span *text)
{
	struct span next = *text;
	gboolean line_began = FALSE;
	gboolean comment = FALSE;

	for (; next.at < next.end; advance(&next, 1)) {
		if (*next.at == '\n') {
			next.origin.line++;
			next.origin.column = 0;
			line_began = TRUE;
			comment = FALSE;
		} else if (line_began && *next.at == '#') {
			comment = TRUE;
		} else if (!comment && !g_ascii_isspace(*next.at)) {
			*text = next;
			return;
		}
	}
	text->end = text->at;
}

/* The word, possibly empty, that @text begins with. */
static gboolean
next_word(struct span *text, struct span *word, GError **error)
{
	struct span head = *text;
	const char *at = text->at;
	const char *bad;

	while (at < text->end && *at != ',' && !g_ascii_isspace(*at))
		at++;
	head.end = at;
	/* Says no to NUL as well. */
	if (!g_utf8_validate(head.at, at - head.at, &bad)) {
		advance(&head, (gsize)(bad - head.at));
		return fail(&head, "stray byte", "UTF-8 without NUL", error);
	}
	advance(text, (gsize)(at - text->at));
	*word = head;
	return TRUE;
}

static gboolean
parse_number(const char *text, guint min, guint max, guint *ret)
{
	guint64 number;

	if (!g_ascii_string_to_unsigned(text, 10, min, max, &number, NULL))
		return FALSE;
	*ret = (guint)number;
	return TRUE;
}

static gboolean
set_priority(struct destination *destination, const char *value)
{
	guint priority;

	if (!parse_number(value, 0, G_MAXUINT16, &priority))
		return FALSE;
	destination->priority = (guint16)priority;
	return TRUE;
}

static gboolean
set_weight(struct destination *destination, const char *value)
{
	return parse_number(value, 1, 1000, &destination->weight);
}

static gboolean
set_tls(struct destination *destination, const char *value)
{
	return tls_level_parse(value, &destination->tls);
}

static gboolean
set_auth(struct destination *destination, const char *value)
{
	if (!authname_is_valid(value))
		return FALSE;
	destination->auth = g_strdup(value);
	return TRUE;
}

static gboolean
set_bind(struct destination *destination, const char *value)
{
	destination->bind = endpoint_canonical(value);
	return destination->bind != NULL;
}

static gboolean
set_tls_name(struct destination *destination, const char *value)
{
	destination->tls_name = domain_canonical(value, NULL);
	return destination->tls_name != NULL;
}

static gboolean
set_drain(struct destination *destination, const char *value G_GNUC_UNUSED)
{
	destination->drain = TRUE;
	return TRUE;
}

static gboolean
set_verify(struct destination *destination, const char *value G_GNUC_UNUSED)
{
	destination->verify = TRUE;
	return TRUE;
}

static const struct option {
	const char *name;
	const char *expected; /* value; NULL: takes none */
	gboolean (*set)(struct destination *destination, const char *value);
} options[] = {
    {"pri", "0 to 65535", set_priority},
    {"weight", "1 to 1000", set_weight},
    {"tls", TLS_LEVEL_NAMES, set_tls},
    {"auth", "profile of " AUTHNAME_EXPECTED, set_auth},
    {"bind", "IPv4 or IPv6 address without brackets", set_bind},
    {"tls-name", "host name", set_tls_name},
    {"drain", NULL, set_drain},
    {"verify", NULL, set_verify},
};

/* The index of an option, G_N_ELEMENTS(options) if it is none. */
static guint
find_option(const struct span *span)
{
	g_autofree char *name = text_of(span);
	guint i = 0;

	while (i < G_N_ELEMENTS(options) && strcmp(options[i].name, name) != 0)
		i++;
	return i;
}

/* @seen: a bit for every option that came before. */
static gboolean
parse_option(struct span rest, struct destination *destination, guint *seen,
    GError **error)
{
	struct span name = cut(&rest, "=");
	guint i = find_option(&name);
	g_autofree char *value = NULL;

	if (i == G_N_ELEMENTS(options))
		return refuse(&name, "option",
		    "pri, weight, tls, auth, bind, tls-name, drain or verify",
		    error);
	if ((*seen & 1U << i) != 0)
		return fail(&name, "option given twice", "it once", error);
	*seen |= 1U << i;
	if (options[i].expected == NULL && !is_empty(&rest))
		return refuse(&rest, "text", "no value", error);
	if (!is_empty(&rest))
		advance(&rest, 1);
	value = text_of(&rest);
	if (!options[i].set(destination, value))
		return refuse(&rest, options[i].name, options[i].expected,
		    error);
	return TRUE;
}

static gboolean
parse_options(struct span *rest, struct destination *destination,
    GError **error)
{
	guint seen = 0;

	while (!is_empty(rest)) {
		advance(rest, 1);
		if (!parse_option(cut(rest, "/"), destination, &seen, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
parse_port(struct span *rest, struct destination *destination, GError **error)
{
	g_autofree char *text = NULL;
	struct span digits;
	guint port;

	if (is_empty(rest) || *rest->at != ':')
		return TRUE;
	advance(rest, 1);
	digits = cut(rest, "/");
	text = text_of(&digits);
	if (!parse_number(text, 1, G_MAXUINT16, &port))
		return refuse(&digits, "port", "1 to 65535", error);
	destination->port = (guint16)port;
	return TRUE;
}

/* @kind: what @text is unless it is an address. */
static gboolean
set_name(struct destination *destination, const char *text,
    enum destination_kind kind)
{
	destination->name = endpoint_canonical(text);
	destination->kind = destination->name ? DESTINATION_ADDRESS : kind;
	if (destination->name == NULL)
		destination->name = domain_canonical(text, NULL);
	return destination->name != NULL;
}

/* [name], [IPv4], [IPv6], or [IPv6:...] as RFC 5321 section 4.1.3 has it. */
static gboolean
parse_bracketed(struct span *rest, struct destination *destination,
    GError **error)
{
	static const char tag[] = "IPv6:";
	struct span bracket = *rest;
	struct span host;
	g_autofree char *text = NULL;
	const char *name;

	advance(rest, 1);
	host = cut(rest, "]");
	if (is_empty(rest))
		return fail(&bracket, "'[' without end", "']'", error);
	advance(rest, 1);
	text = text_of(&host);
	name = text;
	if (g_ascii_strncasecmp(text, tag, strlen(tag)) == 0)
		name += strlen(tag);
	/* What bears the tag is no name and no IPv4 address. */
	if ((name > text && strchr(name, ':') == NULL) ||
	    !set_name(destination, name, DESTINATION_HOST))
		return refuse(&host, "host", HOST_FORMS, error);
	return TRUE;
}

/* A name or an IPv4 address, or an IPv6 address that no port follows. */
static gboolean
parse_plain(struct span *rest, struct destination *destination, GError **error)
{
	struct span after = *rest;
	struct span host = cut(&after, "/");
	g_autofree char *text = text_of(&host);
	const char *expected = "IPv6 address, in brackets before a port";

	if (strchr(text, ':') == strrchr(text, ':')) {
		after = *rest;
		host = cut(&after, ":/");
		text[host.end - host.at] = '\0';
		expected = HOST_FORMS;
	}
	if (!set_name(destination, text, DESTINATION_NAME))
		return refuse(&host, "host", expected, error);
	*rest = after;
	return TRUE;
}

static enum route_kind
keyword(const struct span *word)
{
	g_autofree char *text = text_of(word);

	if (g_ascii_strcasecmp(text, ROUTE_KEYWORD_DNS) == 0)
		return ROUTE_DNS;
	if (strcmp(text, "/dev/null") == 0)
		return ROUTE_DISCARD;
	return ROUTE_HOSTS;
}

static gboolean
parse_host(struct span *rest, struct destination *destination, GError **error)
{
	struct span word = *rest;

	if (*rest->at == '[')
		return parse_bracketed(rest, destination, error);
	if (keyword(&word) == ROUTE_HOSTS &&
	    !parse_plain(rest, destination, error))
		return FALSE;
	/* Not "USEDNS:25" either, nor "USEDNS.". */
	if (destination->name == NULL ||
	    g_ascii_strcasecmp(destination->name, ROUTE_KEYWORD_DNS) == 0)
		return refuse(&word, "text", "the keyword alone", error);
	return TRUE;
}

/* @word is not empty. */
static gboolean
parse_destination(struct span word, struct destination *destination,
    GError **error)
{
	destination->weight = 1;
	if (!parse_host(&word, destination, error) ||
	    !parse_port(&word, destination, error))
		return FALSE;
	if (!is_empty(&word) && *word.at != '/')
		return refuse(&word, "text", "':', '/' or ','", error);
	if (!parse_options(&word, destination, error))
		return FALSE;
	if (destination->port == 0 && destination->tls == TLS_WRAPPER)
		destination->port = PORT_SUBMISSIONS;
	if (destination->port == 0)
		destination->port = ENDPOINT_PORT_SMTP;
	return TRUE;
}

static gboolean
parse_comma(struct span *rest, GError **error)
{
	struct span word;

	if (*rest->at == ',') {
		advance(rest, 1);
		return TRUE;
	}
	if (!next_word(rest, &word, error))
		return FALSE;
	return refuse(&word, "text",
	    *word.at == '#' ? "comments on lines of their own" : "','", error);
}

static gboolean
fail_too_many(const struct span *where, GError **error)
{
	fail(where, "too many destinations",
	    "at most " G_STRINGIFY(ROUTE_DESTINATIONS_MAX), error);
	if (error != NULL)
		(*error)->code = ROUTE_ERROR_TOO_MANY;
	return FALSE;
}

static gboolean
parse_destinations(struct span rest, GPtrArray *destinations, GError **error)
{
	for (;;) {
		struct destination *destination;
		struct span word;

		skip_blanks(&rest);
		if (!next_word(&rest, &word, error))
			return FALSE;
		if (is_empty(&word))
			return fail(&word, "no destination", HOST_FORMS, error);
		if (destinations->len == ROUTE_DESTINATIONS_MAX)
			return fail_too_many(&word, error);
		destination = g_new0(struct destination, 1);
		g_ptr_array_add(destinations, destination);
		if (!parse_destination(word, destination, error))
			return FALSE;
		skip_blanks(&rest);
		if (is_empty(&rest))
			return TRUE;
		if (!parse_comma(&rest, error))
			return FALSE;
	}
}

struct route *
route_parse(const char *text, gsize length, const struct route_origin *origin,
    GError **error)
{
	struct span rest = {text, text + length, *origin};
	g_autoptr(Route) route = g_new0(struct route, 1);
	struct span after = rest;
	struct span word;

	route->destinations = g_ptr_array_new_with_free_func(destination_free);
	skip_blanks(&after);
	if (!next_word(&after, &word, error))
		return NULL;
	skip_blanks(&after);
	if (is_empty(&after))
		route->kind = keyword(&word);
	if (route->kind == ROUTE_HOSTS &&
	    !parse_destinations(rest, route->destinations, error))
		return NULL;
	return g_steal_pointer(&route);
}

void
route_free(struct route *route)
{
	g_ptr_array_unref(route->destinations);
	g_free(route->key);
	g_free(route);
}
