/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <arpa/nameser.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <ares.h>

#include "address/domain.h"
#include "dns/resolve.h"
#include "util/deadline.h"

/* A question to c-ares, and its answer. */
struct lookup {
	gint64 begun;
	gboolean done;
	int status;
	struct ares_mx_reply *exchangers;
	struct ares_addrinfo *found;
};

static void
lookup_clear(struct lookup *lookup)
{
	ares_free_data(lookup->exchangers);
	ares_freeaddrinfo(lookup->found);
}

typedef struct lookup Lookup;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Lookup, lookup_clear)

static void
mx_free(void *data)
{
	struct mx *mx = data;

	g_free(mx->host);
	g_free(mx);
}

static void
on_mx(void *data, int status, int timeouts G_GNUC_UNUSED, unsigned char *answer,
    int length)
{
	struct lookup *lookup = data;

	if (status == ARES_SUCCESS)
		status =
		    ares_parse_mx_reply(answer, length, &lookup->exchangers);
	/* An alias only (RFC 2308 section 2.2), or records not asked for. */
	if (status == ARES_SUCCESS && lookup->exchangers == NULL)
		status = ARES_ENODATA;
	lookup->status = status;
	lookup->done = TRUE;
}

static int
compare_preference(const void *a, const void *b)
{
	const struct mx *const *mx_a = a;
	const struct mx *const *mx_b = b;

	return (*mx_a)->preference - (*mx_b)->preference;
}

/* Fisher and Yates's. */
static void
shuffle(GPtrArray *array)
{
	for (guint left = array->len; left > 1; left--) {
		gint32 pick = g_random_int_range(0, (gint32)left);
		void *last = array->pdata[left - 1];

		array->pdata[left - 1] = array->pdata[pick];
		array->pdata[pick] = last;
	}
}

static GPtrArray *
usable_exchangers(const struct ares_mx_reply *reply)
{
	GPtrArray *exchangers = g_ptr_array_new_with_free_func(mx_free);

	for (; reply != NULL; reply = reply->next) {
		char *host = domain_canonical(reply->host, NULL);
		struct mx *mx;

		if (host == NULL)
			continue;
		mx = g_new(struct mx, 1);
		mx->host = host;
		mx->preference = reply->priority;
		g_ptr_array_add(exchangers, mx);
	}
	/* RFC 5321 section 5.1; the sort keeps the order of equals. */
	shuffle(exchangers);
	g_ptr_array_sort(exchangers, compare_preference);
	if (exchangers->len > RESOLVE_MX_MAX)
		g_ptr_array_set_size(exchangers, RESOLVE_MX_MAX);
	return exchangers;
}

/* RFC 7505 section 3. */
static gboolean
is_null_mx(const struct ares_mx_reply *reply)
{
	return reply->next == NULL && reply->priority == 0 &&
	    reply->host[0] == '\0';
}

GPtrArray *
resolve_mx(struct resolver *resolver, const char *domain, gint64 deadline,
    GError **error)
{
	g_auto(Lookup) lookup = {.begun = g_get_monotonic_time()};
	g_autoptr(GPtrArray) exchangers = NULL;
	ares_channel channel;

	channel = resolver_open(resolver, error);
	if (channel == NULL)
		return NULL;
	ares_query(channel, domain, ns_c_in, ns_t_mx, on_mx, &lookup);
	resolver_wait(resolver, &lookup.done, deadline);
	if (lookup.status != ARES_SUCCESS) {
		resolver_set_error(lookup.status, lookup.begun, "no MX", error);
		return NULL;
	}
	if (is_null_mx(lookup.exchangers)) {
		g_set_error_literal(error, RESOLVE_ERROR, RESOLVE_ERROR_NULL_MX,
		    "domain takes no mail (null MX)");
		return NULL;
	}
	exchangers = usable_exchangers(lookup.exchangers);
	if (exchangers->len == 0) {
		g_set_error_literal(error, RESOLVE_ERROR,
		    RESOLVE_ERROR_TEMPORARY, "cannot resolve: no usable MX");
		return NULL;
	}
	return g_steal_pointer(&exchangers);
}

static void
on_addresses(void *data, int status, int timeouts G_GNUC_UNUSED,
    struct ares_addrinfo *found)
{
	struct lookup *lookup = data;

	lookup->found = found;
	lookup->status = status;
	lookup->done = TRUE;
}

/* The resolver is open. */
static void
ask_addresses(struct resolver *resolver, const char *host, int family,
    gint64 deadline, struct lookup *lookup)
{
	struct ares_addrinfo_hints hints = {
	    .ai_flags = ARES_AI_CANONNAME,
	    .ai_family = family,
	    .ai_socktype = SOCK_STREAM,
	};

	ares_getaddrinfo(resolver_open(resolver, NULL), host, NULL, &hints,
	    on_addresses, lookup);
	resolver_wait(resolver, &lookup->done, deadline);
}

/* Returns the status of c-ares. */
static int
add_addresses(struct resolver *resolver, const char *host, int family,
    gint64 deadline, GArray *addresses)
{
	g_auto(Lookup) lookup = {0};
	const struct ares_addrinfo_node *node;

	ask_addresses(resolver, host, family, deadline, &lookup);
	if (lookup.status != ARES_SUCCESS)
		return lookup.status;
	for (node = lookup.found->nodes; node != NULL; node = node->ai_next) {
		struct endpoint endpoint = {0};

		if (addresses->len == RESOLVE_ADDRESS_MAX)
			break;
		if (node->ai_addrlen > sizeof(endpoint.sa))
			continue;
		memcpy(&endpoint.sa, node->ai_addr, node->ai_addrlen);
		endpoint.length = node->ai_addrlen;
		g_array_append_val(addresses, endpoint);
	}
	return addresses->len > 0 ? ARES_SUCCESS : ARES_ENODATA;
}

/*
 * Asked for both families, c-ares 1.18 reports what became of the answer that
 * came last: a SERVFAIL for one before "no such record" for the other is "no
 * such record", and one malformed answer hides a good one.  So failures are
 * asked for again by family, and a name is missing only if both say so.
 */
static int
add_each_family(struct resolver *resolver, const char *host, gint64 deadline,
    GArray *addresses)
{
	int in6 = add_addresses(resolver, host, AF_INET6, deadline, addresses);
	int in = add_addresses(resolver, host, AF_INET, deadline, addresses);

	if (addresses->len > 0)
		return ARES_SUCCESS;
	return resolver_is_not_found(in6) ? in : in6;
}

GArray *
resolve_addresses(struct resolver *resolver, const char *host, guint16 port,
    gint64 deadline, GError **error)
{
	g_autoptr(GArray) addresses = NULL;
	gint64 begun = g_get_monotonic_time();
	int status;

	if (resolver_open(resolver, error) == NULL)
		return NULL;
	addresses = g_array_new(FALSE, FALSE, sizeof(struct endpoint));
	status = add_addresses(resolver, host, AF_UNSPEC, deadline, addresses);
	/* Who was silent is not asked again. */
	if (status != ARES_SUCCESS && status != ARES_ETIMEOUT &&
	    status != ARES_ECANCELLED)
		status = add_each_family(resolver, host, deadline, addresses);
	if (status != ARES_SUCCESS) {
		resolver_set_error(status, begun, "no address", error);
		return NULL;
	}
	for (guint i = 0; i < addresses->len; i++)
		endpoint_set_port(&g_array_index(addresses, struct endpoint, i),
		    port);
	return g_steal_pointer(&addresses);
}

/* The last name in a chain of aliases; /etc/hosts comes as such a chain. */
static const char *
canonical_name(const struct ares_addrinfo *found)
{
	const struct ares_addrinfo_cname *cname = found->cnames;

	if (cname == NULL)
		return found->name;
	while (cname->next != NULL)
		cname = cname->next;
	return cname->name;
}

/* NULL: there is none with a dot. */
static char *
full_name(const struct resolver *plain, const char *name, gint64 deadline)
{
	g_autoptr(Resolver) resolver = resolver_new_searching(plain);
	g_auto(Lookup) lookup = {0};
	const char *full;

	if (resolver_open(resolver, NULL) == NULL)
		return NULL;
	ask_addresses(resolver, name, AF_UNSPEC, deadline, &lookup);
	if (lookup.status != ARES_SUCCESS)
		return NULL;
	full = canonical_name(lookup.found);
	if (full == NULL || strchr(full, '.') == NULL)
		return NULL;
	return domain_canonical(full, NULL);
}

char *
resolve_own_name(struct resolver *resolver, gint64 deadline)
{
	char name[HOST_NAME_MAX + 1] = "";
	g_autofree char *own = NULL;
	char *full;

	if (gethostname(name, sizeof(name)) == 0)
		own = domain_canonical(name, NULL);
	if (own == NULL)
		return g_strdup("localhost");
	if (strchr(own, '.') != NULL)
		return g_steal_pointer(&own);
	full = full_name(resolver, own, deadline);
	return full == NULL ? g_steal_pointer(&own) : full;
}
