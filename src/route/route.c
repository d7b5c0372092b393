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
#include "route/span.h"

#define PORT_SUBMISSIONS 465 /* RFC 8314 section 7.3 */
#define PORT_LMTP        24  /* as Postfix and Dovecot have it */

#define RATES "none, or rates as 30:1m+10000:1d, of spans from 1s to 31d"

#define HOST_FORMS "name, [name], IPv4 address or [IPv6 address]"

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
set_rate(struct destination *destination, const char *value)
{
	gsize at;

	return rates_parse(value, '+', &destination->rate, &at);
}

static gboolean
set_rate_recipients(struct destination *destination, const char *value)
{
	gsize at;

	return rates_parse(value, '+', &destination->rate_recipients, &at);
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

static gboolean
set_lmtp(struct destination *destination, const char *value G_GNUC_UNUSED)
{
	destination->lmtp = TRUE;
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
    {"rate", RATES, set_rate},
    {"rate-recipients", RATES, set_rate_recipients},
    {"drain", NULL, set_drain},
    {"verify", NULL, set_verify},
    {"lmtp", NULL, set_lmtp},
};

/* The index of an option, G_N_ELEMENTS(options) if it is none. */
static guint
find_option(const struct span *span)
{
	g_autofree char *name = span_text(span);
	guint i = 0;

	while (i < G_N_ELEMENTS(options) && strcmp(options[i].name, name) != 0)
		i++;
	return i;
}

/* Of several rates the one at fault is shown, and where it stands. */
static void
skip_good_rates(struct span *rest, const struct option *option,
    const char *value)
{
	struct rates rates;
	gsize at = 0;

	if (option->set != set_rate && option->set != set_rate_recipients)
		return;
	rates_parse(value, '+', &rates, &at);
	span_advance(rest, at);
	*rest = span_cut(rest, "+");
}

/* @seen: a bit for every option that came before. */
static gboolean
parse_option(struct span rest, struct destination *destination, guint *seen,
    GError **error)
{
	struct span name = span_cut(&rest, "=");
	guint i = find_option(&name);
	g_autofree char *value = NULL;

	if (i == G_N_ELEMENTS(options))
		return span_refuse(&name, "option",
		    "pri, weight, tls, auth, bind, tls-name, rate, "
		    "rate-recipients, drain, verify or lmtp",
		    error);
	if ((*seen & 1U << i) != 0)
		return span_fail(&name, "option given twice", "it once", error);
	*seen |= 1U << i;
	if (options[i].expected == NULL && !span_is_empty(&rest))
		return span_refuse(&rest, "text", "no value", error);
	if (!span_is_empty(&rest))
		span_advance(&rest, 1);
	value = span_text(&rest);
	if (!options[i].set(destination, value)) {
		skip_good_rates(&rest, &options[i], value);
		return span_refuse(&rest, options[i].name, options[i].expected,
		    error);
	}
	return TRUE;
}

static gboolean
parse_options(struct span *rest, struct destination *destination,
    GError **error)
{
	guint seen = 0;

	while (!span_is_empty(rest)) {
		span_advance(rest, 1);
		if (!parse_option(span_cut(rest, "/"), destination, &seen,
			error))
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

	if (span_is_empty(rest) || *rest->at != ':')
		return TRUE;
	span_advance(rest, 1);
	digits = span_cut(rest, "/");
	text = span_text(&digits);
	if (!parse_number(text, 1, G_MAXUINT16, &port))
		return span_refuse(&digits, "port", "1 to 65535", error);
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

	span_advance(rest, 1);
	host = span_cut(rest, "]");
	if (span_is_empty(rest))
		return span_fail(&bracket, "'[' without end", "']'", error);
	span_advance(rest, 1);
	text = span_text(&host);
	name = text;
	if (g_ascii_strncasecmp(text, tag, strlen(tag)) == 0)
		name += strlen(tag);
	/* What bears the tag is no name and no IPv4 address. */
	if ((name > text && strchr(name, ':') == NULL) ||
	    !set_name(destination, name, DESTINATION_HOST))
		return span_refuse(&host, "host", HOST_FORMS, error);
	return TRUE;
}

/* A name or an IPv4 address, or an IPv6 address that no port follows. */
static gboolean
parse_plain(struct span *rest, struct destination *destination, GError **error)
{
	struct span after = *rest;
	struct span host = span_cut(&after, "/");
	g_autofree char *text = span_text(&host);
	const char *expected = "IPv6 address, in brackets before a port";

	if (strchr(text, ':') == strrchr(text, ':')) {
		after = *rest;
		host = span_cut(&after, ":/");
		text[host.end - host.at] = '\0';
		expected = HOST_FORMS;
	}
	if (!set_name(destination, text, DESTINATION_NAME))
		return span_refuse(&host, "host", expected, error);
	*rest = after;
	return TRUE;
}

static enum route_kind
keyword(const struct span *word)
{
	g_autofree char *text = span_text(word);

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
		return span_refuse(&word, "text", "the keyword alone", error);
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
	if (!span_is_empty(&word) && *word.at != '/')
		return span_refuse(&word, "text", "':', '/' or ','", error);
	if (!parse_options(&word, destination, error))
		return FALSE;
	if (destination->port == 0 && destination->tls == TLS_WRAPPER &&
	    !destination->lmtp)
		destination->port = PORT_SUBMISSIONS;
	if (destination->port == 0)
		destination->port =
		    destination->lmtp ? PORT_LMTP : ENDPOINT_PORT_SMTP;
	return TRUE;
}

static gboolean
parse_comma(struct span *rest, GError **error)
{
	struct span word;

	if (*rest->at == ',') {
		span_advance(rest, 1);
		return TRUE;
	}
	if (!span_word(rest, &word, error))
		return FALSE;
	return span_refuse(&word, "text",
	    *word.at == '#' ? "comments on lines of their own" : "','", error);
}

static gboolean
fail_too_many(const struct span *where, GError **error)
{
	span_fail(where, "too many destinations",
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

		span_skip_blanks(&rest);
		if (!span_word(&rest, &word, error))
			return FALSE;
		if (span_is_empty(&word))
			return span_fail(&word, "no destination", HOST_FORMS,
			    error);
		if (destinations->len == ROUTE_DESTINATIONS_MAX)
			return fail_too_many(&word, error);
		destination = g_new0(struct destination, 1);
		g_ptr_array_add(destinations, destination);
		if (!parse_destination(word, destination, error))
			return FALSE;
		span_skip_blanks(&rest);
		if (span_is_empty(&rest))
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
	span_skip_blanks(&after);
	if (!span_word(&after, &word, error))
		return NULL;
	span_skip_blanks(&after);
	if (span_is_empty(&after))
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
