/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hosts of all routes: do their names resolve, are they this Postfix, and
 * does this machine have the addresses they are to be reached from?
 */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "address/endpoint.h"
#include "agent/plan.h"
#include "ctl/check/check-entry.h"
#include "ctl/check/check-hosts.h"
#include "ctl/check/check-self.h"
#include "dns/addresses.h"
#include "dns/resolve.h"
#include "util/autofd.h"
#include "util/deadline.h"

/* Of all lookups together, and of one. */
#define LOOKUPS_TIME (30 * G_TIME_SPAN_SECOND)
#define LOOKUP_TIME  (10 * G_TIME_SPAN_SECOND)

/* So many names are asked for at the same time: more than a resolver minds. */
#define LOOKUPS_AT_ONCE 32

/* A name as the first route has it that has it. */
struct name {
	char *where;
	char *text;
	gboolean mail;     /* MX records come first */
	gboolean done;     /* was it looked up? */
	GError *error;     /* why it has no address; NULL: it has */
	GArray *addresses; /* of its best exchangers, or its own */
};

/* A destination at a port that this Postfix has, too. */
struct lead {
	char *where;
	char *text;
	guint16 port;
	const struct name *name; /* NULL: it is an address */
};

/* A local address, likewise. */
struct source {
	char *where;
	char *text;
};

/* Where a destination stands: check_entry_place() takes its time. */
struct place {
	const char *path;
	const struct maptext_entry *entry;
	guint index;
};

struct hosts {
	const struct settings *settings;
	struct ownsmtp *own;
	GHashTable *known; /* "what text", a set */
	GHashTable *found; /* "what text" to the name, which it does not own */
	GPtrArray *names;
	GPtrArray *leads;
	GPtrArray *sources;
	guint count;
};

static void
name_free(gpointer data)
{
	struct name *name = data;

	g_clear_error(&name->error);
	g_array_unref(name->addresses);
	g_free(name->where);
	g_free(name->text);
	g_free(name);
}

static void
source_free(gpointer data)
{
	struct source *source = data;

	g_free(source->where);
	g_free(source->text);
	g_free(source);
}

static void
lead_free(gpointer data)
{
	struct lead *lead = data;

	g_free(lead->where);
	g_free(lead->text);
	g_free(lead);
}

struct hosts *
hosts_new(const struct check *check)
{
	struct hosts *hosts = g_new0(struct hosts, 1);

	hosts->settings = check->settings;
	hosts->own = ownsmtp_new(check);
	hosts->found =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	hosts->leads = g_ptr_array_new_with_free_func(lead_free);
	hosts->known =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	hosts->names = g_ptr_array_new_with_free_func(name_free);
	hosts->sources = g_ptr_array_new_with_free_func(source_free);
	return hosts;
}

/* Is it the first of its kind? */
static gboolean
is_new(struct hosts *hosts, const char *kind, const char *text, guint port)
{
	return g_hash_table_add(hosts->known,
	    g_strdup_printf("%s %s %u", kind, text, port));
}

static char *
place_text(const struct place *place)
{
	return check_entry_place(place->path, place->entry, place->index);
}

/* NULL: it is an address. */
static const struct name *
add_name(struct hosts *hosts, const struct destination *destination,
    const struct place *place)
{
	gboolean mail = destination->kind == DESTINATION_NAME;
	g_autofree char *key = NULL;
	struct name *name;

	if (destination->kind == DESTINATION_ADDRESS)
		return NULL;
	key = g_strdup_printf("%s %s", mail ? "mx" : "host", destination->name);
	name = g_hash_table_lookup(hosts->found, key);
	if (name != NULL)
		return name;
	name = g_new(struct name, 1);
	*name = (struct name){
	    .where = place_text(place),
	    .text = g_strdup(destination->name),
	    .mail = mail,
	    .addresses = g_array_new(FALSE, FALSE, sizeof(struct endpoint)),
	};
	g_ptr_array_add(hosts->names, name);
	g_hash_table_insert(hosts->found, g_steal_pointer(&key), name);
	return name;
}

static void
add_lead(struct hosts *hosts, const struct destination *destination,
    const struct name *name, const struct place *place)
{
	struct lead *lead;

	if (!ownsmtp_has_port(hosts->own, destination->port) ||
	    !is_new(hosts, name != NULL && name->mail ? "mx" : "host",
		destination->name, destination->port))
		return;
	lead = g_new(struct lead, 1);
	*lead = (struct lead){place_text(place), g_strdup(destination->name),
	    destination->port, name};
	g_ptr_array_add(hosts->leads, lead);
}

static void
add_source(struct hosts *hosts, const struct destination *destination,
    const struct place *place)
{
	const char *bind = plan_settings(hosts->settings, destination).bind;
	struct source *source;

	if (bind == NULL || !is_new(hosts, "bind", bind, 0))
		return;
	source = g_new(struct source, 1);
	*source = (struct source){place_text(place), g_strdup(bind)};
	g_ptr_array_add(hosts->sources, source);
}

void
hosts_add(struct hosts *hosts, const char *path,
    const struct maptext_entry *entry, const struct route *route)
{
	for (guint i = 0; i < route->destinations->len; i++) {
		const struct destination *destination =
		    route->destinations->pdata[i];
		const struct place place = {path, entry, i};
		const struct name *name = add_name(hosts, destination, &place);

		hosts->count +=
		    is_new(hosts, "all", destination->name, destination->port);
		add_lead(hosts, destination, name, &place);
		add_source(hosts, destination, &place);
	}
}

static gint64
lookup_deadline(const struct hosts *hosts, gint64 deadline)
{
	gint64 span =
	    MIN(LOOKUP_TIME, hosts->settings->defaults.timeouts.connect);

	return MIN(deadline, deadline_in(span));
}

/* Adds those of @host to the name's. */
static gboolean
has_address(const struct hosts *hosts, struct resolver *resolver,
    struct name *name, const char *host, gint64 deadline, GError **error)
{
	const struct address_question question = {
	    .host = host,
	    .port = ENDPOINT_PORT_SMTP,
	    .family = hosts->settings->defaults.family,
	};
	g_autoptr(GArray) addresses = addresses_resolve(resolver, &question,
	    lookup_deadline(hosts, deadline), error);

	if (addresses == NULL)
		return FALSE;
	g_array_append_vals(name->addresses, addresses->data, addresses->len);
	return TRUE;
}

/* One with an address will do, and those that are as good. */
static gboolean
has_exchanger_of(const struct hosts *hosts, struct resolver *resolver,
    struct name *name, const GPtrArray *exchangers, gint64 deadline,
    GError **error)
{
	g_autoptr(GError) reason = NULL;
	const struct mx *best = NULL;

	for (guint i = 0; i < exchangers->len; i++) {
		const struct mx *mx = exchangers->pdata[i];

		if (best != NULL && mx->preference != best->preference)
			break;
		g_clear_error(&reason);
		if (has_address(hosts, resolver, name, mx->host, deadline,
			&reason))
			best = mx;
		else
			g_prefix_error(&reason, "its MX %s: ", mx->host);
	}
	if (best == NULL)
		g_propagate_error(error, g_steal_pointer(&reason));
	return best != NULL;
}

static gboolean
has_exchanger(const struct hosts *hosts, struct resolver *resolver,
    struct name *name, gint64 deadline, GError **error)
{
	g_autoptr(GError) reason = NULL;
	g_autoptr(GPtrArray) exchangers = resolve_mx(resolver, name->text,
	    lookup_deadline(hosts, deadline), &reason);

	if (exchangers != NULL)
		return has_exchanger_of(hosts, resolver, name, exchangers,
		    deadline, error);
	if (g_error_matches(reason, RESOLVE_ERROR, RESOLVE_ERROR_NOT_FOUND))
		return has_address(hosts, resolver, name, name->text, deadline,
		    error);
	g_propagate_error(error, g_steal_pointer(&reason));
	return FALSE;
}

/* What the threads share that look names up. */
struct lookups {
	const struct hosts *hosts;
	gint64 deadline;
	gint next; /* the index of a name, atomic */
};

/* Has its own resolver, which is of one thread. */
static void *
look_up(void *data)
{
	struct lookups *lookups = data;
	const GPtrArray *names = lookups->hosts->names;
	g_autoptr(Resolver) resolver =
	    resolver_new(lookups->hosts->settings->dns_servers);
	guint i;

	while ((i = (guint)g_atomic_int_add(&lookups->next, 1)) < names->len &&
	    deadline_left(lookups->deadline) > 0) {
		struct name *name = names->pdata[i];

		if (name->mail)
			has_exchanger(lookups->hosts, resolver, name,
			    lookups->deadline, &name->error);
		else
			has_address(lookups->hosts, resolver, name, name->text,
			    lookups->deadline, &name->error);
		name->done = TRUE;
	}
	return NULL;
}

/* Names, side by side. */
static void
look_names_up(const struct hosts *hosts)
{
	struct lookups lookups = {hosts, deadline_in(LOOKUPS_TIME), 0};
	guint count = MIN(LOOKUPS_AT_ONCE, hosts->names->len);
	GThread *threads[LOOKUPS_AT_ONCE];
	guint started = 0;

	/* One of them, if there can be no more, is this one. */
	while (started + 1 < count) {
		threads[started] =
		    g_thread_try_new("lookup", look_up, &lookups, NULL);
		if (threads[started] == NULL)
			break;
		started++;
	}
	look_up(&lookups);
	for (guint i = 0; i < started; i++)
		g_thread_join(threads[i]);
}

static void
check_names(const struct hosts *hosts, struct findings *findings)
{
	guint late = 0;

	look_names_up(hosts);
	for (guint i = 0; i < hosts->names->len; i++) {
		const struct name *name = hosts->names->pdata[i];

		if (!name->done)
			late++;
		else if (name->error != NULL)
			finding(findings, SEVERITY_WARNING, name->where,
			    "%s: %s; expected an address", name->text,
			    name->error->message);
	}
	for (guint i = 0; i < hosts->names->len; i++) {
		const struct name *name = hosts->names->pdata[i];

		if (name->done)
			continue;
		finding(findings, SEVERITY_WARNING, name->where,
		    "%s and %u later names are not looked up; expected "
		    "answers from DNS to all within %u s",
		    name->text, late - 1,
		    (guint)(LOOKUPS_TIME / G_TIME_SPAN_SECOND));
		return;
	}
}

/* The service of this Postfix that it leads to; NULL: none. */
static const char *
lead_end(const struct hosts *hosts, const struct lead *lead)
{
	struct endpoint endpoint;
	const char *service = NULL;

	if (lead->name == NULL)
		return endpoint_parse(lead->text, lead->port, &endpoint)
		    ? ownsmtp_find(hosts->own, &endpoint)
		    : NULL;
	for (guint i = 0; service == NULL && i < lead->name->addresses->len;
	     i++) {
		endpoint =
		    g_array_index(lead->name->addresses, struct endpoint, i);
		endpoint_set_port(&endpoint, lead->port);
		service = ownsmtp_find(hosts->own, &endpoint);
	}
	return service;
}

static void
check_leads(const struct hosts *hosts, struct findings *findings)
{
	for (guint i = 0; i < hosts->leads->len; i++) {
		const struct lead *lead = hosts->leads->pdata[i];
		const char *service = lead_end(hosts, lead);

		if (service != NULL)
			finding(findings, SEVERITY_WARNING, lead->where,
			    "%s at port %u is this Postfix itself (%s); "
			    "expected another host, or mail goes round in "
			    "a circle",
			    lead->text, lead->port, service);
	}
}

/* Asks the system, which may also be told to take foreign addresses. */
static gboolean
is_local(const char *text, const char **ret_reason)
{
	struct endpoint endpoint;
	autofd fd = -1;

	if (!endpoint_parse(text, 0, &endpoint))
		return FALSE;
	fd = socket(endpoint_family(&endpoint), SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind(fd, &endpoint.sa.any, endpoint.length) == 0)
		return TRUE;
	*ret_reason = g_strerror(errno);
	return FALSE;
}

guint
hosts_check(struct hosts *hosts, struct findings *findings, gboolean dns)
{
	for (guint i = 0; i < hosts->sources->len; i++) {
		const struct source *source = hosts->sources->pdata[i];
		const char *reason = "not an address";

		if (!is_local(source->text, &reason))
			finding(findings, SEVERITY_WARNING, source->where,
			    "bind address %s: %s; expected an address of "
			    "this machine",
			    source->text, reason);
	}
	if (dns)
		check_names(hosts, findings);
	check_leads(hosts, findings);
	return hosts->count;
}

void
hosts_free(struct hosts *hosts)
{
	ownsmtp_free(hosts->own);
	g_hash_table_destroy(hosts->known);
	g_hash_table_destroy(hosts->found);
	g_ptr_array_unref(hosts->leads);
	g_ptr_array_unref(hosts->names);
	g_ptr_array_unref(hosts->sources);
	g_free(hosts);
}
