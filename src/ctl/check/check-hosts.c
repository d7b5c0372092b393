/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hosts of all routes: do their names resolve, and does this machine have
 * the addresses they are to be reached from?
 */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "address/endpoint.h"
#include "agent/plan.h"
#include "ctl/check/check-entry.h"
#include "ctl/check/check-hosts.h"
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
	gboolean mail; /* MX records come first */
	gboolean done; /* was it looked up? */
	GError *error; /* why it has no address; NULL: it has */
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
	GHashTable *known; /* "what text", a set */
	GPtrArray *names;
	GPtrArray *sources;
	guint count;
};

static void
name_free(gpointer data)
{
	struct name *name = data;

	g_clear_error(&name->error);
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

struct hosts *
hosts_new(const struct settings *settings)
{
	struct hosts *hosts = g_new0(struct hosts, 1);

	hosts->settings = settings;
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

static void
add_name(struct hosts *hosts, const struct destination *destination,
    const struct place *place)
{
	gboolean mail = destination->kind == DESTINATION_NAME;
	struct name *name;

	if (destination->kind == DESTINATION_ADDRESS ||
	    !is_new(hosts, mail ? "mx" : "host", destination->name, 0))
		return;
	name = g_new(struct name, 1);
	*name = (struct name){
	    .where = place_text(place),
	    .text = g_strdup(destination->name),
	    .mail = mail,
	};
	g_ptr_array_add(hosts->names, name);
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

		hosts->count +=
		    is_new(hosts, "all", destination->name, destination->port);
		add_name(hosts, destination, &place);
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

static gboolean
has_address(const struct hosts *hosts, struct resolver *resolver,
    const char *name, gint64 deadline, GError **error)
{
	const struct address_question question = {
	    .host = name,
	    .port = ENDPOINT_PORT_SMTP,
	    .family = hosts->settings->defaults.family,
	};
	g_autoptr(GArray) addresses = addresses_resolve(resolver, &question,
	    lookup_deadline(hosts, deadline), error);

	return addresses != NULL;
}

/* One exchanger with an address will do. */
static gboolean
has_exchanger(const struct hosts *hosts, struct resolver *resolver,
    const char *name, gint64 deadline, GError **error)
{
	g_autoptr(GError) reason = NULL;
	g_autoptr(GPtrArray) exchangers = resolve_mx(resolver, name,
	    lookup_deadline(hosts, deadline), &reason);

	if (exchangers == NULL) {
		if (g_error_matches(reason, RESOLVE_ERROR,
			RESOLVE_ERROR_NOT_FOUND))
			return has_address(hosts, resolver, name, deadline,
			    error);
		g_propagate_error(error, g_steal_pointer(&reason));
		return FALSE;
	}
	for (guint i = 0; i < exchangers->len; i++) {
		const struct mx *mx = exchangers->pdata[i];

		g_clear_error(&reason);
		if (has_address(hosts, resolver, mx->host, deadline, &reason))
			return TRUE;
		g_prefix_error(&reason, "its MX %s: ", mx->host);
	}
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

		(name->mail ? has_exchanger : has_address)(lookups->hosts,
		    resolver, name->text, lookups->deadline, &name->error);
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
	return hosts->count;
}

void
hosts_free(struct hosts *hosts)
{
	g_hash_table_destroy(hosts->known);
	g_ptr_array_unref(hosts->names);
	g_ptr_array_unref(hosts->sources);
	g_free(hosts);
}
