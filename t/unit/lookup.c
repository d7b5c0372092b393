/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "dns/addresses.h"
#include "dns/resolve.h"
#include "unit/dnsserver.h"
#include "unit/lookup.h"
#include "util/deadline.h"

const char *
lookup_code_name(const GError *error)
{
	g_assert_true(error->domain == RESOLVE_ERROR);
	switch ((enum resolve_error)error->code) {
	case RESOLVE_ERROR_TEMPORARY:
		return "temporary";
	case RESOLVE_ERROR_NOT_FOUND:
		return "not found";
	case RESOLVE_ERROR_NULL_MX:
		return "null MX";
	case RESOLVE_ERROR_FAMILY:
		return "family";
	}
	g_assert_not_reached();
}

static char *
error_text(const GError *error)
{
	return g_strdup_printf("%s: %s", lookup_code_name(error),
	    error->message);
}

static char *
endpoint_string(const struct endpoint *endpoint)
{
	char text[ENDPOINT_TEXT_SIZE];

	endpoint_text(endpoint, text);
	return g_strdup(text);
}

static int
compare_strings(const void *x, const void *y)
{
	const char *const *string_x = x;
	const char *const *string_y = y;

	return strcmp(*string_x, *string_y);
}

static char *
addresses_text(const GArray *addresses)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < addresses->len; i++) {
		const struct endpoint *endpoint =
		    &g_array_index(addresses, struct endpoint, i);

		g_assert_cmpint(endpoint_port(endpoint), ==, 2525);
		g_ptr_array_add(texts, endpoint_string(endpoint));
	}
	g_ptr_array_sort(texts, compare_strings);
	g_ptr_array_add(texts, NULL);
	return g_strjoinv(" ", (char **)texts->pdata);
}

static char *
exchangers_text(const GPtrArray *exchangers)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < exchangers->len; i++) {
		const struct mx *mx = g_ptr_array_index(exchangers, i);

		g_string_append_printf(text, "%s%d %s", i > 0 ? " " : "",
		    mx->preference, mx->host);
	}
	return g_string_free(text, FALSE);
}

char *
lookup_addresses(const char *dns_servers, const char *name, gint64 patience)
{
	g_autoptr(Resolver) resolver = resolver_new(dns_servers);
	g_autoptr(GError) error = NULL;
	const struct address_question question = {
	    .host = name,
	    .port = 2525,
	    .family = FAMILY_ANY,
	};
	g_autoptr(GArray) addresses = addresses_resolve(resolver, &question,
	    deadline_in(patience), &error);

	if (addresses == NULL)
		return error_text(error);
	g_assert_no_error(error);
	return addresses_text(addresses);
}

void
lookup_in_order(const char *dns_servers, const char *name,
    enum address_family family, GString *text)
{
	g_autoptr(Resolver) resolver = resolver_new(dns_servers);
	g_autoptr(GError) error = NULL;
	const struct address_question question = {
	    .host = name,
	    .port = 25,
	    .family = family,
	};
	g_autoptr(GArray) addresses = addresses_resolve(resolver, &question,
	    deadline_in(DNS_PATIENCE), &error);

	for (guint i = 0; addresses != NULL && i < addresses->len; i++) {
		char address[ENDPOINT_TEXT_SIZE];

		endpoint_text(&g_array_index(addresses, struct endpoint, i),
		    address);
		g_string_append_printf(text, "%s%s", i > 0 ? " " : "", address);
	}
	if (addresses == NULL)
		g_string_append_printf(text, "%s: %s", lookup_code_name(error),
		    error->message);
}

char *
lookup_mx(const char *dns_servers, const char *name, gint64 patience)
{
	g_autoptr(Resolver) resolver = resolver_new(dns_servers);
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) exchangers =
	    resolve_mx(resolver, name, deadline_in(patience), &error);

	if (exchangers == NULL)
		return error_text(error);
	g_assert_no_error(error);
	return exchangers_text(exchangers);
}

gint64
lookup_patience(const char *expected)
{
	if (g_str_equal(expected, LOOKUP_NO_ANSWER) ||
	    g_str_equal(expected, LOOKUP_NO_SENSE))
		return DNS_SHORT;
	return DNS_PATIENCE;
}

void
lookup_assert(const char *text, const char *expected)
{
	if (!g_pattern_match_simple(expected, text))
		g_assert_cmpstr(text, ==, expected);
}

char *
lookup_tlsa_text(const struct tlsa_set *set)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < set->records->len; i++) {
		const struct tlsa *record = g_ptr_array_index(set->records, i);

		g_string_append_printf(text, "%s%u %u %u [%zu]",
		    i > 0 ? ", " : "", record->usage, record->selector,
		    record->matching, g_bytes_get_size(record->data));
	}
	if (text->len == 0)
		g_string_append(text, set->absence);
	return g_string_free(text, FALSE);
}
