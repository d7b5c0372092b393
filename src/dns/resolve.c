/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "address/domain.h"
#include "dns/answer.h"
#include "dns/resolve.h"
#include "util/deadline.h"

static void
mx_free(void *data)
{
	struct mx *mx = data;

	g_free(mx->host);
	g_free(mx);
}

/* As it is written there: whether a host can have that name comes later. */
static gboolean
on_exchanger(const ns_msg *message, const ns_rr *record, void *data)
{
	GPtrArray *exchangers = data;
	const unsigned char *rdata = ns_rr_rdata(*record);
	char name[NS_MAXDNAME];
	struct mx *mx;

	if (ns_rr_rdlen(*record) <= NS_INT16SZ ||
	    ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message),
		rdata + NS_INT16SZ, name, sizeof(name)) < 0)
		return FALSE;
	mx = g_new0(struct mx, 1);
	mx->preference = (guint16)ns_get16(rdata);
	mx->host = g_strdup(name);
	g_ptr_array_add(exchangers, mx);
	return TRUE;
}

static int
take_exchangers(const unsigned char *message, gsize length, void *data)
{
	GPtrArray *exchangers = data;

	if (!answer_records(message, length, ns_t_mx, on_exchanger, data))
		return ARES_EBADRESP;
	/* An alias only (RFC 2308 section 2.2), or records not asked for. */
	return exchangers->len > 0 ? ARES_SUCCESS : ARES_ENODATA;
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

/* Leaves those whose names can be a host's. */
static void
keep_usable(GPtrArray *exchangers)
{
	for (guint i = exchangers->len; i > 0; i--) {
		struct mx *mx = g_ptr_array_index(exchangers, i - 1);
		char *host = domain_canonical(mx->host, NULL);

		g_free(mx->host);
		mx->host = host;
		if (host == NULL)
			g_ptr_array_remove_index(exchangers, i - 1);
	}
}

static void
order_exchangers(GPtrArray *exchangers)
{
	/* RFC 5321 section 5.1; the sort keeps the order of equals. */
	shuffle(exchangers);
	g_ptr_array_sort(exchangers, compare_preference);
	if (exchangers->len > RESOLVE_MX_MAX)
		g_ptr_array_set_size(exchangers, RESOLVE_MX_MAX);
}

/* RFC 7505 section 3. */
static gboolean
is_null_mx(const GPtrArray *exchangers)
{
	const struct mx *first = g_ptr_array_index(exchangers, 0);

	return exchangers->len == 1 && first->preference == 0 &&
	    g_str_equal(first->host, ".");
}

GPtrArray *
resolve_mx(struct resolver *resolver, const char *domain, gint64 deadline,
    GError **error)
{
	g_autoptr(GPtrArray) exchangers =
	    g_ptr_array_new_with_free_func(mx_free);

	if (!resolver_ask(resolver, domain, ns_t_mx, deadline, take_exchangers,
		exchangers, "no MX", error))
		return NULL;
	if (is_null_mx(exchangers)) {
		g_set_error_literal(error, RESOLVE_ERROR, RESOLVE_ERROR_NULL_MX,
		    "domain takes no mail (null MX)");
		return NULL;
	}
	keep_usable(exchangers);
	order_exchangers(exchangers);
	if (exchangers->len == 0) {
		g_set_error_literal(error, RESOLVE_ERROR,
		    RESOLVE_ERROR_TEMPORARY, "cannot resolve: no usable MX");
		return NULL;
	}
	return g_steal_pointer(&exchangers);
}

/* A question for addresses, and its answer. */
struct lookup {
	gboolean done;
	int status;
	struct ares_addrinfo *found;
};

static void
lookup_clear(struct lookup *lookup)
{
	ares_freeaddrinfo(lookup->found);
}

typedef struct lookup Lookup;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Lookup, lookup_clear)

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
