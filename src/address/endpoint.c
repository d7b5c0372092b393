/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <arpa/inet.h>

#include "address/endpoint.h"

gboolean
endpoint_parse(const char *text, guint16 port, struct endpoint *ret)
{
	struct endpoint parsed = {0};

	if (inet_pton(AF_INET, text, &parsed.sa.in.sin_addr) == 1) {
		parsed.sa.in.sin_family = AF_INET;
		parsed.length = sizeof(parsed.sa.in);
	} else if (inet_pton(AF_INET6, text, &parsed.sa.in6.sin6_addr) == 1) {
		parsed.sa.in6.sin6_family = AF_INET6;
		parsed.length = sizeof(parsed.sa.in6);
	} else {
		return FALSE;
	}
	endpoint_set_port(&parsed, port);
	*ret = parsed;
	return TRUE;
}

void
endpoint_text(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_SIZE])
{
	if (endpoint_family(endpoint) == AF_INET6)
		inet_ntop(AF_INET6, &endpoint->sa.in6.sin6_addr, text,
		    ENDPOINT_TEXT_SIZE);
	else
		inet_ntop(AF_INET, &endpoint->sa.in.sin_addr, text,
		    ENDPOINT_TEXT_SIZE);
}

gboolean
endpoint_is_address(const char *text)
{
	struct endpoint endpoint;

	return endpoint_parse(text, 0, &endpoint);
}

char *
endpoint_canonical(const char *text)
{
	char canonical[ENDPOINT_TEXT_SIZE];
	struct endpoint endpoint;

	if (!endpoint_parse(text, 0, &endpoint))
		return NULL;
	/* inet_pton(3) takes an IPv4 address in one form only. */
	if (endpoint_family(&endpoint) == AF_INET)
		return g_strdup(text);
	endpoint_text(&endpoint, canonical);
	return g_strdup(canonical);
}

guint16
endpoint_port(const struct endpoint *endpoint)
{
	if (endpoint_family(endpoint) == AF_INET6)
		return ntohs(endpoint->sa.in6.sin6_port);
	return ntohs(endpoint->sa.in.sin_port);
}

void
endpoint_set_port(struct endpoint *endpoint, guint16 port)
{
	if (endpoint_family(endpoint) == AF_INET6)
		endpoint->sa.in6.sin6_port = htons(port);
	else
		endpoint->sa.in.sin_port = htons(port);
}

int
endpoint_family(const struct endpoint *endpoint)
{
	return endpoint->sa.any.sa_family;
}

/* Field by field: what padding and flow labels hold is no part of it. */
gboolean
endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	const struct sockaddr_in6 *a6 = &a->sa.in6;
	const struct sockaddr_in6 *b6 = &b->sa.in6;

	if (endpoint_family(a) != endpoint_family(b) ||
	    endpoint_port(a) != endpoint_port(b))
		return FALSE;
	if (endpoint_family(a) == AF_INET)
		return a->sa.in.sin_addr.s_addr == b->sa.in.sin_addr.s_addr;
	return IN6_ARE_ADDR_EQUAL(&a6->sin6_addr, &b6->sin6_addr) &&
	    a6->sin6_scope_id == b6->sin6_scope_id;
}
