/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "address/family.h"
#include "agent/expansion.h"
#include "agent/plan.h"
#include "hosts/balance.h"
#include "util/decimal.h"

G_DEFINE_QUARK(smtproute_plan_error, plan_error)

struct plan {
	const struct settings *settings;
	struct resolver *resolver;
	struct destination usedns; /* what USEDNS stands for */
	struct hoststate *state;
	GPtrArray *destinations; /* borrowed, by priority */
	GArray *contenders;      /* these for hoststate_choose() */
	struct self *self;
	struct expansion *expansion; /* of the current destination */
	GArray *addresses;           /* endpoints, of the current host */
	guint next_address;
	guint next_bad;
	struct candidate candidate; /* as far as it is known */
	GArray *bad;                /* candidates, to try after the others */
	GHashTable *given;   /* the candidates so far, as candidate_id(), and
			      * their destinations */
	GStringChunk *names; /* owns those of mail exchangers */
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

/* The route's own options beat what the settings say of the host. */
struct host_settings
plan_settings(const struct settings *settings,
    const struct destination *destination)
{
	struct host_settings result =
	    settings_host(settings, destination->name, destination->port);

	if (destination->tls != TLS_UNSET)
		result.tls = destination->tls;
	if (destination->tls_name != NULL)
		result.tls_name = destination->tls_name;
	if (destination->auth != NULL)
		result.auth = destination->auth;
	if (destination->bind != NULL)
		result.bind = destination->bind;
	if (destination->rate.set)
		result.rate = destination->rate;
	if (destination->rate_recipients.set)
		result.rate_recipients = destination->rate_recipients;
	return result;
}

static GArray *
make_contenders(const struct plan *plan, const char *key)
{
	const struct choosing choosing = settings_choosing(plan->settings, key);
	guint steps = choosing.slow_start > 0 ? BALANCE_STEPS : 1;
	gboolean counted = settings_have_leastconn(plan->settings);
	GArray *contenders = g_array_new(FALSE, TRUE, sizeof(struct contender));

	for (guint i = 0; i < plan->destinations->len; i++) {
		const struct destination *destination =
		    destination_at(plan->destinations, i);
		struct host_settings settings =
		    plan_settings(plan->settings, destination);
		struct contender contender = {
		    .name = destination->name,
		    .port = destination->port,
		    .priority = destination->priority,
		    .weight = destination->weight * steps,
		    .leastconn = choosing.balance == BALANCE_LEASTCONN,
		    .counted = counted,
		    .slow_start = choosing.slow_start,
		    .max_connections = settings.max_connections,
		    .lease = plan->settings->time_limit,
		    .stranger = destination == &plan->usedns,
		    .rates = {settings.rate, settings.rate_recipients},
		    .standing =
			destination->drain ? STANDING_DRAINED : STANDING_FREE,
		};

		g_array_append_val(contenders, contender);
	}
	return contenders;
}

struct plan *
plan_new(const struct route *route, const char *domain,
    const struct settings *settings, struct resolver *resolver,
    struct hoststate *state)
{
	struct plan *plan = g_new0(struct plan, 1);

	plan->settings = settings;
	plan->resolver = resolver;
	plan->state = state;
	plan->destinations = g_ptr_array_new();
	plan->self = self_new(settings);
	plan->addresses = g_array_new(FALSE, FALSE, sizeof(struct endpoint));
	plan->bad = g_array_new(FALSE, FALSE, sizeof(struct candidate));
	plan->given =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	plan->names = g_string_chunk_new(256);
	if (route->kind == ROUTE_DNS) {
		set_usedns(&plan->usedns, domain);
		g_ptr_array_add(plan->destinations, &plan->usedns);
	}
	for (guint i = 0; i < route->destinations->len; i++)
		g_ptr_array_add(plan->destinations,
		    g_ptr_array_index(route->destinations, i));
	g_ptr_array_sort(plan->destinations, compare_priority);
	plan->contenders = make_contenders(plan, route->key);
	return plan;
}

void
plan_free(struct plan *plan)
{
	if (plan == NULL)
		return;
	g_free(plan->usedns.name);
	g_ptr_array_unref(plan->destinations);
	self_free(plan->self);
	expansion_free(plan->expansion);
	g_array_unref(plan->addresses);
	g_array_unref(plan->contenders);
	g_array_unref(plan->bad);
	g_hash_table_destroy(plan->given);
	g_string_chunk_free(plan->names);
	g_free(plan);
}

/* Questions about a family that bind= rules out are not asked. */
static enum address_family
usable_family(const struct host_settings *settings)
{
	struct endpoint source;

	if (settings->bind == NULL ||
	    !endpoint_parse(settings->bind, 0, &source))
		return settings->family;
	return endpoint_family(&source) == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6;
}

static void
expand(struct plan *plan)
{
	const struct host_settings *settings = &plan->candidate.settings;
	const struct expansion_source source = {
	    .destination = plan->candidate.destination,
	    .resolver = plan->resolver,
	    .self = plan->self,
	    .names = plan->names,
	    .family = usable_family(settings),
	    .lookup_span = settings->timeouts.connect,
	    .stranger = plan->candidate.destination == &plan->usedns,
	};

	expansion_free(plan->expansion);
	plan->expansion = expansion_new(&source);
}

gboolean
plan_next_destination(struct plan *plan)
{
	struct contender *contenders =
	    &g_array_index(plan->contenders, struct contender, 0);
	guint count = plan->contenders->len;
	guint chosen = hoststate_choose(plan->state, contenders, count);
	const struct destination *destination;

	if (chosen == count)
		return FALSE;
	destination = destination_at(plan->destinations, chosen);
	plan->candidate = (struct candidate){
	    .destination = destination,
	    .host = destination->name,
	    .preference = -1,
	    .settings = plan_settings(plan->settings, destination),
	};
	expand(plan);
	g_array_set_size(plan->addresses, 0);
	g_array_set_size(plan->bad, 0);
	plan->next_address = 0;
	plan->next_bad = 0;
	return TRUE;
}

static gboolean
is_of_destination(void *key G_GNUC_UNUSED, void *value, void *destination)
{
	return value == destination;
}

struct contender *
plan_reopen(struct plan *plan)
{
	const struct destination *destination = plan->candidate.destination;
	guint i = 0;

	g_hash_table_foreach_remove(plan->given, is_of_destination,
	    (void *)(guintptr)destination);
	while (destination_at(plan->destinations, i) != destination)
		i++;
	return &g_array_index(plan->contenders, struct contender, i);
}

/* An address in the route is what it is: does it fit bind=? */
static gboolean
fits_family(const struct plan *plan, const GArray *addresses, GError **error)
{
	const struct host_settings *settings = &plan->candidate.settings;
	enum address_family family = usable_family(settings);
	int af = endpoint_family(&g_array_index(addresses, struct endpoint, 0));

	if (family_has(family, af))
		return TRUE;
	if (settings->bind != NULL)
		g_set_error(error, PLAN_ERROR, PLAN_ERROR_FAMILY,
		    "no address of the family of bind=%s", settings->bind);
	else
		g_set_error(error, PLAN_ERROR, PLAN_ERROR_FAMILY,
		    "no address of address-family=%s", family_name(family));
	return FALSE;
}

/* Takes up the next host: which addresses has it? */
static enum expansion_step
enter_host(struct plan *plan, gint64 deadline, GError **error)
{
	struct expanded expanded;
	enum expansion_step step =
	    expansion_next(plan->expansion, deadline, &expanded, error);

	if (step == EXPANSION_END)
		return step;
	plan->candidate.host = expanded.host;
	plan->candidate.preference = expanded.preference;
	plan->candidate.endpoint = (struct endpoint){0};
	if (step == EXPANSION_FAILED ||
	    !fits_family(plan, expanded.addresses, error))
		return EXPANSION_FAILED;
	g_array_set_size(plan->addresses, 0);
	g_array_append_vals(plan->addresses, expanded.addresses->data,
	    expanded.addresses->len);
	plan->next_address = 0;
	return EXPANSION_HOST;
}

static const char *
or_none(const char *text)
{
	return text != NULL ? text : "-";
}

char *
candidate_id(const struct candidate *candidate)
{
	const struct host_settings *settings = &candidate->settings;
	gboolean verified = settings->tls >= TLS_SECURE;
	char port[DECIMAL_SIZE];
	char level[DECIMAL_SIZE];

	return g_strjoin(" ", candidate->address,
	    decimal(endpoint_port(&candidate->endpoint), port),
	    candidate->destination->lmtp ? "lmtp" : "smtp",
	    or_none(settings->bind), decimal(settings->tls, level),
	    or_none(settings->auth), or_none(settings->tls_name),
	    verified ? candidate->host : "-",
	    verified ? candidate->destination->name : "-", NULL);
}

/* TRUE: *candidate, whose endpoint is set, was not given before. */
static gboolean
give(struct plan *plan, struct candidate *candidate)
{
	char *id;

	endpoint_text(&candidate->endpoint, candidate->address);
	candidate->id = id = candidate_id(candidate);
	if (g_hash_table_insert(plan->given, id,
		(void *)(guintptr)candidate->destination))
		return TRUE;
	candidate->id = NULL;
	return FALSE;
}

/* The next good address of the current host.  FALSE: there is none. */
static gboolean
enter_address(struct plan *plan)
{
	while (plan->next_address < plan->addresses->len) {
		plan->candidate.endpoint = g_array_index(plan->addresses,
		    struct endpoint, plan->next_address++);
		if (hoststate_is_bad(plan->state, &plan->candidate.endpoint))
			g_array_append_val(plan->bad, plan->candidate);
		else if (give(plan, &plan->candidate))
			return TRUE;
	}
	return FALSE;
}

/* The next bad address of the destination.  FALSE: there is none. */
static gboolean
enter_bad_address(struct plan *plan)
{
	while (plan->next_bad < plan->bad->len) {
		plan->candidate = g_array_index(plan->bad, struct candidate,
		    plan->next_bad++);
		if (give(plan, &plan->candidate))
			return TRUE;
	}
	return FALSE;
}

enum plan_step
plan_next(struct plan *plan, gint64 deadline, struct candidate *candidate,
    GError **error)
{
	enum expansion_step step = EXPANSION_HOST;

	while (step == EXPANSION_HOST && !enter_address(plan))
		step = enter_host(plan, deadline, error);
	if (step == EXPANSION_END && !enter_bad_address(plan))
		return PLAN_END;
	*candidate = plan->candidate;
	return step == EXPANSION_FAILED ? PLAN_UNRESOLVED : PLAN_CANDIDATE;
}

const char *
plan_cut(const struct plan *plan)
{
	return plan->expansion == NULL ? NULL : expansion_cut(plan->expansion);
}

void
plan_set_own_name(struct plan *plan, const char *name)
{
	self_set_name(plan->self, name);
}

const struct destination *
plan_current(const struct plan *plan)
{
	return plan->candidate.destination;
}

GArray *
plan_contenders(struct plan *plan)
{
	return plan->contenders;
}

const struct destination *
plan_destination(const struct plan *plan, guint i,
    struct host_settings *ret_settings)
{
	const struct destination *destination =
	    destination_at(plan->destinations, i);

	*ret_settings = plan_settings(plan->settings, destination);
	return destination;
}
