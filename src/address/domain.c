/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "address/domain.h"
#include "address/endpoint.h"

/* RFC 1035 section 2.3.4: 255 octets on the wire are 253 in text. */
#define DOMAIN_MAX 253
#define LABEL_MAX  63

/* No U-label needs more than 4 bytes for each byte of its A-label. */
#define INPUT_MAX (4 * DOMAIN_MAX)

#define LABEL_CHARACTERS G_CSET_a_2_z G_CSET_DIGITS "-_"

G_DEFINE_QUARK(smtproute_domain_error, domain_error)

static void *
refuse(const char *fault, GError **error)
{
	g_set_error_literal(error, DOMAIN_ERROR, DOMAIN_ERROR_SYNTAX, fault);
	return NULL;
}

/* What is wrong with a label, NULL if nothing is. */
static const char *
label_fault(const char *label, gsize length)
{
	if (length == 0)
		return "empty label";
	if (length > LABEL_MAX)
		return "label longer than 63 bytes";
	if (strspn(label, LABEL_CHARACTERS) < length)
		return "character other than letters, digits, '-' and '_'";
	if (label[0] == '-' || label[length - 1] == '-')
		return "label that begins or ends with '-'";
	return NULL;
}

static const char *
domain_fault(const char *domain)
{
	const char *label = domain;

	if (strlen(domain) > DOMAIN_MAX)
		return "longer than 253 bytes";
	for (;;) {
		gsize length = strcspn(label, ".");
		const char *fault = label_fault(label, length);

		if (fault != NULL)
			return fault;
		if (label[length] == '\0')
			break;
		label += length + 1;
	}
	if (label[strspn(label, G_CSET_DIGITS)] == '\0')
		return "last label all digits";
	return NULL;
}

/*
 * In lower case, A-labels for U-labels.  NULL: not UTF-8, or letters that no
 * A-label can stand for.  GLib must not see what is not UTF-8.
 */
static char *
to_ascii(const char *text)
{
	if (g_str_is_ascii(text))
		return g_ascii_strdown(text, -1);
	if (!g_utf8_validate(text, -1, NULL))
		return NULL;
	return g_hostname_to_ascii(text);
}

char *
domain_canonical(const char *text, GError **error)
{
	g_autofree char *bare = NULL;
	g_autofree char *domain = NULL;
	const char *fault = NULL;
	gsize length = strlen(text);

	if (length > INPUT_MAX)
		return refuse("longer than 253 bytes", error);
	if (length > 0 && text[length - 1] == '.')
		length--;
	/* After a U-label, g_hostname_to_ascii() drops another dot. */
	if (length > 0 && text[length - 1] == '.')
		return refuse("empty label", error);
	bare = g_strndup(text, length);
	domain = to_ascii(bare);
	if (domain == NULL)
		return refuse("not a valid internationalized name", error);
	fault = domain_fault(domain);
	if (fault != NULL)
		return refuse(fault, error);
	return g_steal_pointer(&domain);
}

char *
domain_literal_canonical(const char *text, GError **error)
{
	static const char tag[] = "ipv6:";
	g_autofree char *inside = NULL;
	char address[ENDPOINT_TEXT_SIZE];
	struct endpoint endpoint;
	gsize length = strlen(text);
	gboolean tagged;

	if (text[0] != '[' || text[length - 1] != ']')
		return refuse("address without brackets around it", error);
	inside = g_strndup(text + 1, length - 2);
	tagged = g_ascii_strncasecmp(inside, tag, strlen(tag)) == 0;
	if (!endpoint_parse(inside + (tagged ? strlen(tag) : 0), 0, &endpoint))
		return refuse("neither IPv4 nor IPv6 address", error);
	if (tagged && endpoint_family(&endpoint) != AF_INET6)
		return refuse("not an IPv6 address", error);
	endpoint_text(&endpoint, address);
	return g_strdup_printf("[%s%s]",
	    endpoint_family(&endpoint) == AF_INET6 ? tag : "", address);
}

char *
domain_with_port(const char *name, guint16 port)
{
	gboolean bracket = strchr(name, ':') != NULL;

	return g_strdup_printf("%s%s%s:%u", bracket ? "[" : "", name,
	    bracket ? "]" : "", port);
}
