/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The families are asked for side by side, each by a question of its own:
 * asked for both, c-ares tells only of the end of both, and what is said of
 * one hides what is said of the other.
 */
#include <config.h>

#include <string.h>

#include "dns/addresses.h"
#include "dns/reach.h"
#include "util/deadline.h"

/* How long the answer about one family waits for that about the other. */
#define OTHER_SPAN G_USEC_PER_SEC

/* A question for one family.  It outlives who asked until c-ares calls back. */
struct half {
	gboolean abandoned;
	gboolean done;
	gint64 when; /* it was done */
	int status;
	struct ares_addrinfo *found;
};

struct addresses {
	struct resolver *resolver;
	char *host;
	guint16 port;
	enum address_family family;
	gint64 begun;
	struct half *in6; /* NULL: not asked for */
	struct half *in;
	GError *error; /* it cannot be asked for at all */
};

static void
half_free(struct half *half)
{
	ares_freeaddrinfo(half->found);
	g_free(half);
}

static void
half_leave(struct half *half)
{
	if (half == NULL)
		return;
	if (half->done)
		half_free(half);
	else
		half->abandoned = TRUE;
}

static void
on_half(void *data, int status, int timeouts G_GNUC_UNUSED,
    struct ares_addrinfo *found)
{
	struct half *half = data;

	half->found = found;
	if (half->abandoned) {
		half_free(half);
		return;
	}
	if (status == ARES_SUCCESS && found->nodes == NULL)
		status = ARES_ENODATA;
	half->status = status;
	half->when = g_get_monotonic_time();
	half->done = TRUE;
}

static struct half *
ask(ares_channel channel, const char *host, int af)
{
	const struct ares_addrinfo_hints hints = {
	    .ai_family = af,
	    .ai_socktype = SOCK_STREAM,
	};
	struct half *half = g_new0(struct half, 1);

	ares_getaddrinfo(channel, host, NULL, &hints, on_half, half);
	return half;
}

static gboolean
has_found(const struct half *half)
{
	return half != NULL && half->done && half->status == ARES_SUCCESS;
}

/* AF_UNSPEC: any. */
static int
only_family(enum address_family family)
{
	if (family == FAMILY_IPV4)
		return AF_INET;
	if (family == FAMILY_IPV6)
		return AF_INET6;
	return AF_UNSPEC;
}

/*
 * Who stands in /etc/hosts is not asked for in DNS, whatever family it has
 * there.  NULL: it does not stand there.
 */
static struct half *
ask_file(struct resolver *resolver, const struct address_question *question)
{
	ares_channel channel = resolver_open_file(resolver, NULL);
	struct half *half;

	if (channel == NULL)
		return NULL;
	half = ask(channel, question->host, only_family(question->family));
	if (has_found(half))
		return half;
	half_leave(half);
	return NULL;
}

struct addresses *
addresses_ask(struct resolver *resolver,
    const struct address_question *question)
{
	struct addresses *addresses = g_new0(struct addresses, 1);
	ares_channel channel = resolver_open(resolver, &addresses->error);

	addresses->resolver = resolver;
	addresses->host = g_strdup(question->host);
	addresses->port = question->port;
	addresses->family = question->family;
	addresses->begun = g_get_monotonic_time();
	if (channel == NULL)
		return addresses;
	if (!question->stranger)
		addresses->in = ask_file(resolver, question);
	if (addresses->in != NULL)
		return addresses;
	if (family_has(question->family, AF_INET6))
		addresses->in6 = ask(channel, question->host, AF_INET6);
	if (family_has(question->family, AF_INET))
		addresses->in = ask(channel, question->host, AF_INET);
	return addresses;
}

void
addresses_free(struct addresses *addresses)
{
	if (addresses == NULL)
		return;
	half_leave(addresses->in6);
	half_leave(addresses->in);
	g_clear_error(&addresses->error);
	g_free(addresses->host);
	g_free(addresses);
}

/* Until when an answer is waited for; 0: no longer. */
static gint64
wait_until(const struct addresses *addresses, gint64 deadline)
{
	const struct half *halves[] = {addresses->in6, addresses->in};
	gboolean all = TRUE;

	for (gsize i = 0; i < G_N_ELEMENTS(halves); i++) {
		if (halves[i] != NULL && !halves[i]->done)
			all = FALSE;
		if (has_found(halves[i]))
			deadline = MIN(deadline, halves[i]->when + OTHER_SPAN);
	}
	return all || deadline_left(deadline) == 0 ? 0 : deadline;
}

static void
add_found(const struct half *half, guint16 port, GArray *endpoints)
{
	const struct ares_addrinfo_node *node;

	if (!has_found(half))
		return;
	for (node = half->found->nodes; node != NULL; node = node->ai_next) {
		struct endpoint endpoint = {0};

		if (endpoints->len == ADDRESSES_MAX)
			return;
		if (node->ai_addrlen > sizeof(endpoint.sa))
			continue;
		memcpy(&endpoint.sa, node->ai_addr, node->ai_addrlen);
		endpoint.length = node->ai_addrlen;
		endpoint_set_port(&endpoint, port);
		g_array_append_val(endpoints, endpoint);
	}
}

/* How well the first of them, which c-ares has sorted, can be reached. */
static enum reach
half_reach(const struct half *half)
{
	g_autoptr(GArray) endpoints =
	    g_array_new(FALSE, FALSE, sizeof(struct endpoint));

	add_found(half, ENDPOINT_PORT_SMTP, endpoints);
	if (endpoints->len == 0)
		return REACH_NONE;
	return reach(&g_array_index(endpoints, struct endpoint, 0));
}

static gboolean
ipv4_first(const struct addresses *addresses)
{
	if (addresses->family == FAMILY_PREFER_IPV4)
		return TRUE;
	if (addresses->family == FAMILY_PREFER_IPV6)
		return FALSE;
	return has_found(addresses->in6) && has_found(addresses->in) &&
	    half_reach(addresses->in) < half_reach(addresses->in6);
}

static int
half_status(const struct half *half)
{
	return half->done ? half->status : ARES_ETIMEOUT;
}

/* A name is missing only if both families say so. */
static int
status_of(const struct addresses *addresses)
{
	int in6;

	if (addresses->in6 == NULL)
		return half_status(addresses->in);
	in6 = half_status(addresses->in6);
	if (addresses->in == NULL || !resolver_is_not_found(in6))
		return in6;
	return half_status(addresses->in);
}

static void
set_error(const struct addresses *addresses, GError **error)
{
	int status = status_of(addresses);

	/* There may be addresses of the other one: nobody has asked. */
	if (status == ARES_ENODATA &&
	    (addresses->in6 == NULL || addresses->in == NULL))
		g_set_error(error, RESOLVE_ERROR, RESOLVE_ERROR_FAMILY,
		    "cannot resolve: no %s address, and no other is used",
		    addresses->in6 == NULL ? "IPv4" : "IPv6");
	else
		resolver_set_error(status, addresses->begun, "no address",
		    error);
}

GArray *
addresses_wait(struct addresses *addresses, gint64 deadline, GError **error)
{
	g_autoptr(GArray) endpoints =
	    g_array_new(FALSE, FALSE, sizeof(struct endpoint));
	gboolean swap;
	gint64 until;

	if (addresses->error != NULL) {
		g_propagate_error(error, g_steal_pointer(&addresses->error));
		return NULL;
	}
	deadline =
	    resolver_until(addresses->resolver, addresses->begun, deadline);
	while ((until = wait_until(addresses, deadline)) > 0 &&
	    resolver_turn(addresses->resolver, until))
		continue;
	swap = ipv4_first(addresses);
	add_found(swap ? addresses->in : addresses->in6, addresses->port,
	    endpoints);
	add_found(swap ? addresses->in6 : addresses->in, addresses->port,
	    endpoints);
	if (endpoints->len > 0)
		return g_steal_pointer(&endpoints);
	set_error(addresses, error);
	return NULL;
}

GArray *
addresses_resolve(struct resolver *resolver,
    const struct address_question *question, gint64 deadline, GError **error)
{
	g_autoptr(Addresses) addresses = addresses_ask(resolver, question);

	return addresses_wait(addresses, deadline, error);
}
