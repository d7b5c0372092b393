/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "deadline.h"
#include "plan.h"

G_DEFINE_QUARK(smtproute_plan_error, plan_error)

struct plan {
	const struct settings *settings;
	struct resolver *resolver;
	struct destination usedns; /* what USEDNS stands for */
	GPtrArray *destinations;   /* borrowed, in the order to try them */
	GPtrArray *hosts;          /* names, of the current destination */
	GArray *addresses;         /* endpoints, of the current host */
	guint next_destination;
	guint next_host;
	guint next_address;
	struct candidate candidate; /* as far as it is known */
	GArray *given;              /* the candidates so far */
	GStringChunk *names;        /* owns those of mail exchangers */
};

static int
compare_priority(const void *a, const void *b)
{
	const struct destination *const *destination_a = a;
	const struct destination *const *destination_b = b;

	return (*destination_a)->priority - (*destination_b)->priority;
}

static const struct destination *
destination_at(const GPtrArray *destinations, guint i)
{
	return g_ptr_array_index(destinations, i);
}

/* One of those from @start on, before @end, whose weights' sum is @total. */
static guint
pick_by_weight(const GPtrArray *destinations, guint start, guint end,
    guint total)
{
	guint point = (guint)g_random_int_range(0, (gint32)total);

	for (; start < end - 1; start++) {
		guint weight = destination_at(destinations, start)->weight;

		if (point < weight)
			break;
		point -= weight;
	}
	return start;
}

/* At random by weight, without putting back. */
static void
shuffle_by_weight(GPtrArray *destinations, guint start, guint end)
{
	guint total = 0;

	for (guint i = start; i < end; i++)
		total += destination_at(destinations, i)->weight;
	for (; start < end; start++) {
		guint pick = pick_by_weight(destinations, start, end, total);
		void *first = destinations->pdata[start];

		destinations->pdata[start] = destinations->pdata[pick];
		destinations->pdata[pick] = first;
		total -= destination_at(destinations, start)->weight;
	}
}

static void
order_destinations(GPtrArray *destinations)
{
	guint start;
	guint end;

	g_ptr_array_sort(destinations, compare_priority);
	for (start = 0; start < destinations->len; start = end) {
		guint16 priority =
		    destination_at(destinations, start)->priority;

		for (end = start + 1; end < destinations->len; end++) {
			if (destination_at(destinations, end)->priority !=
			    priority)
				break;
		}
		shuffle_by_weight(destinations, start, end);
	}
}

/* The recipients' domain, or the address that stands in its place. */
static void
set_usedns(struct destination *usedns, const char *domain)
{
	static const char tag[] = "ipv6:";
	gsize length = strlen(domain);

	usedns->kind = DESTINATION_NAME;
	usedns->port = ENDPOINT_PORT_SMTP;
	usedns->weight = 1;
	if (length < 2 || domain[0] != '[') {
		usedns->name = g_strdup(domain);
		return;
	}
	usedns->kind = DESTINATION_ADDRESS;
	usedns->name = g_strndup(domain + 1, length - 2);
	if (g_str_has_prefix(usedns->name, tag))
		memmove(usedns->name, usedns->name + strlen(tag),
		    strlen(usedns->name + strlen(tag)) + 1);
}

struct plan *
plan_new(const struct route *route, const char *domain,
    const struct settings *settings, struct resolver *resolver)
{
	struct plan *plan = g_new0(struct plan, 1);

	plan->settings = settings;
	plan->resolver = resolver;
	plan->destinations = g_ptr_array_new();
	plan->hosts = g_ptr_array_new();
	plan->addresses = g_array_new(FALSE, FALSE, sizeof(struct endpoint));
	plan->given = g_array_new(FALSE, FALSE, sizeof(struct candidate));
	plan->names = g_string_chunk_new(256);
	if (route->kind == ROUTE_DNS) {
		set_usedns(&plan->usedns, domain);
		g_ptr_array_add(plan->destinations, &plan->usedns);
		return plan;
	}
	for (guint i = 0; i < route->destinations->len; i++) {
		struct destination *destination =
		    g_ptr_array_index(route->destinations, i);

		if (!destination->drain)
			g_ptr_array_add(plan->destinations, destination);
	}
	order_destinations(plan->destinations);
	return plan;
}

void
plan_free(struct plan *plan)
{
	if (plan == NULL)
		return;
	g_free(plan->usedns.name);
	g_ptr_array_unref(plan->destinations);
	g_ptr_array_unref(plan->hosts);
	g_array_unref(plan->addresses);
	g_array_unref(plan->given);
	g_string_chunk_free(plan->names);
	g_free(plan);
}

/* The route's own options beat what the settings say of the host. */
static struct host_settings
destination_settings(const struct settings *settings,
    const struct destination *destination)
{
	struct host_settings result =
	    settings_host(settings, destination->name, destination->port);

	if (destination->tls != TLS_UNSET)
		result.tls = destination->tls;
	if (destination->auth != NULL)
		result.auth = destination->auth;
	if (destination->bind != NULL)
		result.bind = destination->bind;
	return result;
}

static gint64
lookup_deadline(const struct plan *plan, gint64 deadline)
{
	gint64 span = plan->candidate.settings.timeouts.connect;

	return MIN(deadline, deadline_in(span));
}

static gboolean
add_exchangers(struct plan *plan, gint64 deadline, GError **error)
{
	g_autoptr(GPtrArray) exchangers =
	    resolve_mx(plan->resolver, plan->candidate.destination->name,
		lookup_deadline(plan, deadline), error);

	if (exchangers == NULL)
		return FALSE;
	for (guint i = 0; i < exchangers->len; i++) {
		const struct mx *mx = g_ptr_array_index(exchangers, i);

		g_ptr_array_add(plan->hosts,
		    g_string_chunk_insert(plan->names, mx->host));
	}
	return TRUE;
}

/* Takes up the next destination: which hosts has it? */
static gboolean
enter_destination(struct plan *plan, gint64 deadline, GError **error)
{
	const struct destination *destination =
	    destination_at(plan->destinations, plan->next_destination++);
	g_autoptr(GError) reason = NULL;

	plan->candidate = (struct candidate){
	    .destination = destination,
	    .host = destination->name,
	    .settings = destination_settings(plan->settings, destination),
	};
	g_ptr_array_set_size(plan->hosts, 0);
	plan->next_host = 0;
	if (destination->kind == DESTINATION_NAME &&
	    add_exchangers(plan, deadline, &reason))
		return TRUE;
	/* RFC 5321 section 5.1: without an MX the name is its own. */
	if (reason == NULL ||
	    g_error_matches(reason, RESOLVE_ERROR, RESOLVE_ERROR_NOT_FOUND)) {
		g_ptr_array_add(plan->hosts, destination->name);
		return TRUE;
	}
	g_propagate_error(error, g_steal_pointer(&reason));
	return FALSE;
}

static GArray *
host_addresses(const struct plan *plan, gint64 deadline, GError **error)
{
	const char *host = plan->candidate.host;
	guint16 port = plan->candidate.destination->port;
	struct endpoint endpoint;
	GArray *addresses;

	if (!endpoint_parse(host, port, &endpoint))
		return resolve_addresses(plan->resolver, host, port,
		    lookup_deadline(plan, deadline), error);
	addresses = g_array_new(FALSE, FALSE, sizeof(endpoint));
	return g_array_append_val(addresses, endpoint);
}

/* Leaves those that can be connected to from the address @bind. */
static void
keep_family(GArray *addresses, const char *bind)
{
	struct endpoint source;

	if (bind == NULL || !endpoint_parse(bind, 0, &source))
		return;
	for (guint i = addresses->len; i > 0; i--) {
		const struct endpoint *endpoint =
		    &g_array_index(addresses, struct endpoint, i - 1);

		if (endpoint_family(endpoint) != endpoint_family(&source))
			g_array_remove_index(addresses, i - 1);
	}
}

/* Takes up the next host: which addresses has it? */
static gboolean
enter_host(struct plan *plan, gint64 deadline, GError **error)
{
	const char *bind = plan->candidate.settings.bind;
	GArray *addresses;

	plan->candidate.host =
	    g_ptr_array_index(plan->hosts, plan->next_host++);
	plan->candidate.endpoint = (struct endpoint){0};
	addresses = host_addresses(plan, deadline, error);
	if (addresses == NULL)
		return FALSE;
	g_array_unref(plan->addresses);
	plan->addresses = addresses;
	plan->next_address = 0;
	keep_family(addresses, bind);
	if (addresses->len > 0)
		return TRUE;
	g_set_error(error, PLAN_ERROR, PLAN_ERROR_FAMILY,
	    "no address of the family of bind=%s", bind);
	return FALSE;
}

/* From another source address it is another attempt. */
static gboolean
was_given(const struct plan *plan, const struct candidate *candidate)
{
	for (guint i = 0; i < plan->given->len; i++) {
		const struct candidate *given =
		    &g_array_index(plan->given, struct candidate, i);

		if (endpoint_equal(&candidate->endpoint, &given->endpoint) &&
		    g_strcmp0(candidate->settings.bind, given->settings.bind) ==
			0)
			return TRUE;
	}
	return FALSE;
}

/* The next address of the current host.  FALSE: there is none. */
static gboolean
enter_address(struct plan *plan)
{
	while (plan->next_address < plan->addresses->len) {
		plan->candidate.endpoint = g_array_index(plan->addresses,
		    struct endpoint, plan->next_address++);
		if (was_given(plan, &plan->candidate))
			continue;
		g_array_append_val(plan->given, plan->candidate);
		return TRUE;
	}
	return FALSE;
}

enum plan_step
plan_next(struct plan *plan, gint64 deadline, struct candidate *candidate,
    GError **error)
{
	while (!enter_address(plan)) {
		gboolean entered;

		if (plan->next_host < plan->hosts->len)
			entered = enter_host(plan, deadline, error);
		else if (plan->next_destination < plan->destinations->len)
			entered = enter_destination(plan, deadline, error);
		else
			return PLAN_END;
		if (!entered) {
			*candidate = plan->candidate;
			return PLAN_UNRESOLVED;
		}
	}
	*candidate = plan->candidate;
	return PLAN_CANDIDATE;
}
