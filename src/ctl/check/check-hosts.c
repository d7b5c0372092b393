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
#include "ctl/check/names.h"
#include "util/autofd.h"

/* A destination at a port that this Postfix has, too. */
struct lead {
	struct place place;
	const char *text;
	guint16 port;
	const struct name *name; /* NULL: it is an address */
	const char *service;     /* there, if it is one */
};

/* A local address, likewise. */
struct source {
	struct place place;
	const char *text;
};

struct hosts {
	const struct settings *settings;
	struct ownsmtp *own;
	GHashTable *known;  /* of struct item, a set */
	GHashTable *found;  /* struct item to the name, which it does not own */
	GStringChunk *text; /* of all these */
	GPtrArray *names;
	GPtrArray *leads;
	GPtrArray *sources;
	guint count;
};

/* Something that is said or looked up once, of a million routes. */
struct item {
	enum item_kind {
		ITEM_HOST, /* at this port */
		ITEM_ADDRESS_LEAD,
		ITEM_LEAD,      /* to a name's address */
		ITEM_MAIL_LEAD, /* to a name's MX hosts */
		ITEM_NAME,
		ITEM_MAIL_NAME,
		ITEM_SOURCE,
	} kind;
	guint port;
	const char *text;
};

static guint
item_hash(gconstpointer data)
{
	const struct item *item = data;

	return g_str_hash(item->text) + 31 * item->port + item->kind;
}

static gboolean
item_equal(gconstpointer a, gconstpointer b)
{
	const struct item *left = a;
	const struct item *right = b;

	return left->kind == right->kind && left->port == right->port &&
	    strcmp(left->text, right->text) == 0;
}

static const char *
keep_text(const struct hosts *hosts, const char *text)
{
	return g_string_chunk_insert(hosts->text, text);
}

struct hosts *
hosts_new(const struct check *check)
{
	struct hosts *hosts = g_new0(struct hosts, 1);

	hosts->settings = check->settings;
	hosts->own = ownsmtp_new(check);
	hosts->text = g_string_chunk_new(64 * 1024);
	hosts->found =
	    g_hash_table_new_full(item_hash, item_equal, g_free, NULL);
	hosts->leads = g_ptr_array_new_with_free_func(g_free);
	hosts->known =
	    g_hash_table_new_full(item_hash, item_equal, g_free, NULL);
	hosts->names = g_ptr_array_new_with_free_func(name_free);
	hosts->sources = g_ptr_array_new_with_free_func(g_free);
	return hosts;
}

static struct item *
item_keep(const struct hosts *hosts, const struct item *item)
{
	struct item *copy = g_new(struct item, 1);

	*copy = *item;
	copy->text = keep_text(hosts, item->text);
	return copy;
}

/* Is it the first of its kind? */
static gboolean
is_new(const struct hosts *hosts, enum item_kind kind, const char *text,
    guint port)
{
	const struct item item = {kind, port, text};

	if (g_hash_table_contains(hosts->known, &item))
		return FALSE;
	return g_hash_table_add(hosts->known, item_keep(hosts, &item));
}

/* NULL: it is an address. */
static const struct name *
add_name(struct hosts *hosts, const struct destination *destination,
    const struct place *place)
{
	gboolean mail = destination->kind == DESTINATION_NAME;
	const struct item item = {mail ? ITEM_MAIL_NAME : ITEM_NAME, 0,
	    destination->name};
	struct item *kept;
	struct name *name;

	if (destination->kind == DESTINATION_ADDRESS)
		return NULL;
	name = g_hash_table_lookup(hosts->found, &item);
	if (name != NULL)
		return name;
	kept = item_keep(hosts, &item);
	name = name_new(place, kept->text, mail);
	g_ptr_array_add(hosts->names, name);
	g_hash_table_insert(hosts->found, kept, name);
	return name;
}

/* The service of this Postfix at an address; NULL: none. */
static const char *
address_end(const struct hosts *hosts, const struct destination *destination)
{
	struct endpoint endpoint;

	return endpoint_parse(destination->name, destination->port, &endpoint)
	    ? ownsmtp_find(hosts->own, &endpoint)
	    : NULL;
}

/* Of the addresses, only those that do lead there are kept. */
static void
add_lead(struct hosts *hosts, const struct destination *destination,
    const struct name *name, const struct place *place)
{
	enum item_kind kind = name == NULL ? ITEM_ADDRESS_LEAD
	    : name->mail                   ? ITEM_MAIL_LEAD
					   : ITEM_LEAD;
	struct lead *lead;

	if (!ownsmtp_has_port(hosts->own, destination->port) ||
	    (name == NULL && address_end(hosts, destination) == NULL) ||
	    !is_new(hosts, kind, destination->name, destination->port))
		return;
	lead = g_new(struct lead, 1);
	*lead = (struct lead){
	    .place = *place,
	    .text =
		name != NULL ? name->text : keep_text(hosts, destination->name),
	    .port = destination->port,
	    .name = name,
	    .service = name == NULL ? address_end(hosts, destination) : NULL,
	};
	g_ptr_array_add(hosts->leads, lead);
}

static void
add_source(struct hosts *hosts, const struct destination *destination,
    const struct place *place)
{
	const char *bind = plan_settings(hosts->settings, destination).bind;
	struct source *source;

	if (bind == NULL || !is_new(hosts, ITEM_SOURCE, bind, 0))
		return;
	source = g_new(struct source, 1);
	*source = (struct source){*place, keep_text(hosts, bind)};
	g_ptr_array_add(hosts->sources, source);
}

void
hosts_add(struct hosts *hosts, const char *path,
    const struct maptext_entry *entry, const struct route *route)
{
	for (guint i = 0; i < route->destinations->len; i++) {
		const struct destination *destination =
		    route->destinations->pdata[i];
		const struct place place = {path, *entry, i};
		const struct name *name = add_name(hosts, destination, &place);

		hosts->count += is_new(hosts, ITEM_HOST, destination->name,
		    destination->port);
		add_lead(hosts, destination, name, &place);
		add_source(hosts, destination, &place);
	}
}

static void G_GNUC_PRINTF(3, 4) say(struct findings *findings,
    const struct place *place, const char *format, ...)
{
	g_autofree char *where =
	    check_entry_place(place->path, &place->entry, place->index);
	g_autofree char *what = NULL;
	va_list arguments;

	va_start(arguments, format);
	what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	finding(findings, SEVERITY_WARNING, where, "%s", what);
}

static void
check_names(const struct hosts *hosts, struct findings *findings)
{
	guint late = 0;

	names_look_up(hosts->names, hosts->settings);
	for (guint i = 0; i < hosts->names->len; i++) {
		const struct name *name = hosts->names->pdata[i];

		if (!name->done)
			late++;
		else if (name->error != NULL)
			say(findings, &name->place,
			    "%s: %s; expected an address", name->text,
			    name->error->message);
	}
	for (guint i = 0; i < hosts->names->len; i++) {
		const struct name *name = hosts->names->pdata[i];

		if (name->done)
			continue;
		say(findings, &name->place,
		    "%s and %u later names are not looked up; expected "
		    "answers from DNS to all within %u s",
		    name->text, late - 1,
		    (guint)(NAMES_TIME / G_TIME_SPAN_SECOND));
		return;
	}
}

/* The service of this Postfix that it leads to; NULL: none. */
static const char *
lead_end(const struct hosts *hosts, const struct lead *lead)
{
	const GArray *addresses;
	struct endpoint endpoint;
	const char *service = NULL;

	if (lead->name == NULL)
		return lead->service;
	addresses = lead->name->addresses;
	for (guint i = 0;
	     service == NULL && addresses != NULL && i < addresses->len; i++) {
		endpoint = g_array_index(addresses, struct endpoint, i);
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
			say(findings, &lead->place,
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
			say(findings, &source->place,
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
	g_string_chunk_free(hosts->text);
	g_free(hosts);
}
