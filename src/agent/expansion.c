/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "agent/expansion.h"
#include "dns/addresses.h"
#include "dns/resolve.h"
#include "util/deadline.h"

G_DEFINE_QUARK(smtproute_expansion_error, expansion_error)

struct host {
	const char *name;
	int preference;            /* -1: no MX */
	struct addresses *pending; /* its lookup */
	GArray *addresses;
	GError *error; /* why there are none */
	gboolean entered;
};

struct expansion {
	struct expansion_source source;
	GPtrArray *hosts;
	guint next;
	guint looked_up;
	gboolean begun;
	char *cut;
};

static void
host_free(void *data)
{
	struct host *host = data;

	addresses_free(host->pending);
	g_clear_pointer(&host->addresses, g_array_unref);
	g_clear_error(&host->error);
	g_free(host);
}

struct expansion *
expansion_new(const struct expansion_source *source)
{
	struct expansion *expansion = g_new0(struct expansion, 1);

	expansion->source = *source;
	expansion->hosts = g_ptr_array_new_with_free_func(host_free);
	return expansion;
}

void
expansion_free(struct expansion *expansion)
{
	if (expansion == NULL)
		return;
	g_ptr_array_unref(expansion->hosts);
	g_free(expansion->cut);
	g_free(expansion);
}

const char *
expansion_cut(const struct expansion *expansion)
{
	return expansion->cut;
}

static gint64
lookup_deadline(const struct expansion *expansion, gint64 deadline)
{
	return MIN(deadline, deadline_in(expansion->source.lookup_span));
}

static struct host *
host_at(const struct expansion *expansion, guint i)
{
	return g_ptr_array_index(expansion->hosts, i);
}

static void
add_host(struct expansion *expansion, const char *name, int preference)
{
	struct host *host = g_new0(struct host, 1);

	host->name = name;
	host->preference = preference;
	g_ptr_array_add(expansion->hosts, host);
}

static gboolean
add_exchangers(struct expansion *expansion, gint64 deadline, GError **error)
{
	const struct expansion_source *source = &expansion->source;
	g_autoptr(GPtrArray) exchangers =
	    resolve_mx(source->resolver, source->destination->name,
		lookup_deadline(expansion, deadline), error);

	if (exchangers == NULL)
		return FALSE;
	for (guint i = 0; i < exchangers->len; i++) {
		const struct mx *mx = g_ptr_array_index(exchangers, i);

		add_host(expansion,
		    g_string_chunk_insert(source->names, mx->host),
		    mx->preference);
	}
	return TRUE;
}

/* Which hosts has the destination? */
static gboolean
begin(struct expansion *expansion, gint64 deadline, GError **error)
{
	const struct destination *destination = expansion->source.destination;
	g_autoptr(GError) reason = NULL;

	expansion->begun = TRUE;
	if (destination->kind == DESTINATION_NAME &&
	    add_exchangers(expansion, deadline, &reason))
		return TRUE;
	/* RFC 5321 section 5.1: without an MX the name is its own. */
	if (reason == NULL ||
	    g_error_matches(reason, RESOLVE_ERROR, RESOLVE_ERROR_NOT_FOUND)) {
		add_host(expansion, destination->name, -1);
		return TRUE;
	}
	g_propagate_error(error, g_steal_pointer(&reason));
	return FALSE;
}

/* What a route writes as an address or "[name]" is its author's word. */
static gboolean
is_trusted(const struct expansion *expansion)
{
	return !expansion->source.stranger &&
	    expansion->source.destination->kind != DESTINATION_NAME;
}

/* As its turn of a preference begins: the hosts from @first to the result. */
static guint
group_end(const struct expansion *expansion, guint first)
{
	guint end = first;

	while (end < expansion->hosts->len &&
	    host_at(expansion, end)->preference ==
		host_at(expansion, first)->preference)
		end++;
	return end;
}

/* A name alone with another port than SMTP's is some other service here. */
static gboolean
has_own_name(const struct expansion *expansion, const struct host *host)
{
	return (host->preference >= 0 ||
		   expansion->source.destination->port == ENDPOINT_PORT_SMTP) &&
	    self_has_name(expansion->source.self, host->name);
}

static gboolean
has_own_address(const struct expansion *expansion, const struct host *host)
{
	for (guint i = 0; host->addresses != NULL && i < host->addresses->len;
	     i++) {
		const struct endpoint *endpoint =
		    &g_array_index(host->addresses, struct endpoint, i);

		if (endpoint_port(endpoint) == ENDPOINT_PORT_SMTP &&
		    self_has_address(expansion->source.self, endpoint))
			return TRUE;
	}
	return FALSE;
}

typedef gboolean (
    *host_test)(const struct expansion *expansion, const struct host *host);

/* Cuts off all from @first on if one up to @end is this machine. */
static gboolean
cut_own(struct expansion *expansion, guint first, guint end, host_test is_own)
{
	for (guint i = first; !is_trusted(expansion) && i < end; i++) {
		const struct host *host = host_at(expansion, i);

		if (!is_own(expansion, host))
			continue;
		g_free(expansion->cut);
		expansion->cut = host->preference < 0
		    ? g_strdup_printf("%s is this machine", host->name)
		    : g_strdup_printf("MX %d %s is this machine",
			  host->preference, host->name);
		g_ptr_array_set_size(expansion->hosts, (gint)first);
		return TRUE;
	}
	return FALSE;
}

static void
ask(struct expansion *expansion, struct host *host)
{
	const struct expansion_source *source = &expansion->source;
	guint16 port = source->destination->port;
	const struct address_question question = {
	    .host = host->name,
	    .port = port,
	    .family = source->family,
	    .stranger = source->stranger,
	};
	struct endpoint endpoint;

	host->entered = TRUE;
	if (endpoint_parse(host->name, port, &endpoint)) {
		host->addresses =
		    g_array_new(FALSE, FALSE, sizeof(struct endpoint));
		g_array_append_val(host->addresses, endpoint);
		return;
	}
	expansion->looked_up++;
	host->pending = addresses_ask(source->resolver, &question);
}

/* Leaves those out that would be too many.  Returns the new end. */
static guint
limit(struct expansion *expansion, guint first, guint end)
{
	guint left = EXPANSION_STRANGERS_MAX - expansion->looked_up;

	if (!expansion->source.stranger || end - first <= left)
		return end;
	g_free(expansion->cut);
	expansion->cut =
	    g_strdup_printf("%u more mail exchangers are not looked up",
		expansion->hosts->len - first - left);
	g_ptr_array_set_size(expansion->hosts, (gint)(first + left));
	return first + left;
}

static void
look_up(struct expansion *expansion, guint first, guint end, gint64 deadline)
{
	gint64 until = lookup_deadline(expansion, deadline);

	for (guint i = first; i < end; i++)
		ask(expansion, host_at(expansion, i));
	for (guint i = first; i < end; i++) {
		struct host *host = host_at(expansion, i);

		if (host->pending != NULL)
			host->addresses =
			    addresses_wait(host->pending, until, &host->error);
		g_clear_pointer(&host->pending, addresses_free);
	}
}

/* The next host, and those as good, are taken up. */
static void
enter_group(struct expansion *expansion, gint64 deadline)
{
	guint first = expansion->next;
	guint end = group_end(expansion, first);

	if (cut_own(expansion, first, end, has_own_name))
		return;
	end = limit(expansion, first, end);
	look_up(expansion, first, end, deadline);
	cut_own(expansion, first, end, has_own_address);
}

static void
set_loop(const struct expansion *expansion, GError **error)
{
	g_set_error(error, EXPANSION_ERROR, EXPANSION_ERROR_SELF,
	    "mail for %s loops back to this machine: %s",
	    expansion->source.destination->name, expansion->cut);
}

static enum expansion_step
give(struct host *host, struct expanded *expanded, GError **error)
{
	expanded->host = host->name;
	expanded->preference = host->preference;
	expanded->addresses = host->addresses;
	if (host->addresses != NULL)
		return EXPANSION_HOST;
	g_propagate_error(error, g_steal_pointer(&host->error));
	return EXPANSION_FAILED;
}

enum expansion_step
expansion_next(struct expansion *expansion, gint64 deadline,
    struct expanded *expanded, GError **error)
{
	*expanded = (struct expanded){
	    .host = expansion->source.destination->name,
	    .preference = -1,
	};
	if (!expansion->begun && !begin(expansion, deadline, error))
		return EXPANSION_FAILED;
	if (expansion->next < expansion->hosts->len &&
	    !host_at(expansion, expansion->next)->entered) {
		enter_group(expansion, deadline);
		if (expansion->hosts->len == 0) {
			set_loop(expansion, error);
			return EXPANSION_FAILED;
		}
	}
	if (expansion->next >= expansion->hosts->len)
		return EXPANSION_END;
	return give(host_at(expansion, expansion->next++), expanded, error);
}
