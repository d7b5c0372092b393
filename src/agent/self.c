/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "address/domain.h"
#include "agent/self.h"

struct self {
	const struct settings *settings;
	const char *also;      /* one more name, NULL: none */
	GHashTable *names;     /* a set; NULL: not made yet */
	GHashTable *addresses; /* as text; NULL: not read yet */
};

struct self *
self_new(const struct settings *settings)
{
	struct self *self = g_new0(struct self, 1);

	self->settings = settings;
	return self;
}

void
self_free(struct self *self)
{
	if (self == NULL)
		return;
	g_clear_pointer(&self->names, g_hash_table_destroy);
	g_clear_pointer(&self->addresses, g_hash_table_destroy);
	g_free(self);
}

void
self_set_name(struct self *self, const char *name)
{
	self->also = name;
}

/* An address literal is an address, too. */
static void
add_name(struct self *self, const char *name)
{
	if (name != NULL && name[0] != '[')
		g_hash_table_add(self->names, g_strdup(name));
}

static void
add_system_name(struct self *self)
{
	char name[HOST_NAME_MAX + 1] = "";
	g_autofree char *canonical = NULL;

	if (gethostname(name, sizeof(name)) == 0)
		canonical = domain_canonical(name, NULL);
	add_name(self, canonical);
}

/* RFC 6761 section 6.3: so is every name below it. */
gboolean
self_has_name(struct self *self, const char *name)
{
	if (self->names == NULL) {
		self->names = g_hash_table_new_full(g_str_hash, g_str_equal,
		    g_free, NULL);
		add_name(self, "localhost");
		add_name(self, self->settings->helo_name);
		add_name(self, self->also);
		add_system_name(self);
	}
	return g_hash_table_contains(self->names, name) ||
	    g_str_has_suffix(name, ".localhost");
}

static void
add_address(struct self *self, const char *text)
{
	struct endpoint endpoint;
	char canonical[ENDPOINT_TEXT_SIZE];

	if (!endpoint_parse(text, 0, &endpoint))
		return;
	endpoint_text(&endpoint, canonical);
	g_hash_table_add(self->addresses, g_strdup(canonical));
}

static void
add_listed(struct self *self, const char *list)
{
	g_auto(GStrv) addresses = NULL;

	if (list == NULL)
		return;
	addresses = g_strsplit(list, ",", -1);
	for (gsize i = 0; addresses[i] != NULL; i++)
		add_address(self, addresses[i]);
}

/* "[192.0.2.1]" or "[ipv6:2001:db8::1]" */
static void
add_literal(struct self *self, const char *literal)
{
	g_autofree char *address = NULL;
	const char *from;

	if (literal == NULL || literal[0] != '[')
		return;
	from = g_str_has_prefix(literal, "[ipv6:") ? literal + 6 : literal + 1;
	address = g_strndup(from, strcspn(from, "]"));
	add_address(self, address);
}

static void
add_interfaces(struct self *self)
{
	struct ifaddrs *all = NULL;

	/* Without them: own-addresses and the rest are better than nothing. */
	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *one = all; one != NULL;
	     one = one->ifa_next) {
		struct endpoint endpoint = {0};
		char text[ENDPOINT_TEXT_SIZE];

		if (one->ifa_addr == NULL ||
		    (one->ifa_addr->sa_family != AF_INET &&
			one->ifa_addr->sa_family != AF_INET6))
			continue;
		endpoint.length = one->ifa_addr->sa_family == AF_INET
		    ? sizeof(endpoint.sa.in)
		    : sizeof(endpoint.sa.in6);
		memcpy(&endpoint.sa, one->ifa_addr, endpoint.length);
		endpoint_text(&endpoint, text);
		add_address(self, text);
	}
	freeifaddrs(all);
}

static gboolean
is_always_own(const struct endpoint *endpoint)
{
	if (endpoint_family(endpoint) == AF_INET) {
		guint32 address = ntohl(endpoint->sa.in.sin_addr.s_addr);

		return address >> 24 == IN_LOOPBACKNET || address == INADDR_ANY;
	}
	return IN6_IS_ADDR_LOOPBACK(&endpoint->sa.in6.sin6_addr) ||
	    IN6_IS_ADDR_UNSPECIFIED(&endpoint->sa.in6.sin6_addr);
}

/* FALSE: it is none. */
static gboolean
unmap(const struct endpoint *endpoint, struct endpoint *ret)
{
	const struct sockaddr_in6 *in6 = &endpoint->sa.in6;

	if (endpoint_family(endpoint) != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return FALSE;
	*ret = (struct endpoint){.length = sizeof(ret->sa.in)};
	ret->sa.in.sin_family = AF_INET;
	memcpy(&ret->sa.in.sin_addr, in6->sin6_addr.s6_addr + 12, 4);
	return TRUE;
}

gboolean
self_has_address(struct self *self, const struct endpoint *endpoint)
{
	struct endpoint plain = *endpoint;
	char text[ENDPOINT_TEXT_SIZE];

	unmap(endpoint, &plain);
	if (is_always_own(&plain))
		return TRUE;
	if (self->addresses == NULL) {
		self->addresses = g_hash_table_new_full(g_str_hash, g_str_equal,
		    g_free, NULL);
		add_interfaces(self);
		add_listed(self, self->settings->own_addresses);
		add_literal(self, self->settings->helo_name);
	}
	endpoint_text(&plain, text);
	return g_hash_table_contains(self->addresses, text);
}
