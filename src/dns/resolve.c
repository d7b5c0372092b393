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

/* A question for this machine's addresses, and its answer. */
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
	const struct ares_addrinfo_hints hints = {
	    .ai_flags = ARES_AI_CANONNAME,
	    .ai_socktype = SOCK_STREAM,
	};
	g_auto(Lookup) lookup = {0};
	ares_channel channel = resolver_open(resolver, NULL);
	const char *full;

	if (channel == NULL)
		return NULL;
	ares_getaddrinfo(channel, name, NULL, &hints, on_addresses, &lookup);
	resolver_wait(resolver, &lookup.done, deadline);
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
