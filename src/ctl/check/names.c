/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "ctl/check/names.h"
#include "dns/addresses.h"
#include "dns/resolve.h"
#include "util/deadline.h"

/* Of one lookup. */
#define LOOKUP_TIME (10 * G_TIME_SPAN_SECOND)

/* So many names are asked for at the same time: more than a resolver minds. */
#define LOOKUPS_AT_ONCE 32

struct name *
name_new(const struct place *place, const char *text, gboolean mail)
{
	struct name *name = g_new0(struct name, 1);

	name->place = *place;
	name->text = text;
	name->mail = mail;
	return name;
}

void
name_free(gpointer data)
{
	struct name *name = data;

	g_clear_error(&name->error);
	g_clear_pointer(&name->addresses, g_array_unref);
	g_free(name);
}

static gint64
lookup_deadline(const struct settings *settings, gint64 deadline)
{
	gint64 span = MIN(LOOKUP_TIME, settings->defaults.timeouts.connect);

	return MIN(deadline, deadline_in(span));
}

/* Adds those of @host to the name's. */
static gboolean
has_address(const struct settings *settings, struct resolver *resolver,
    struct name *name, const char *host, gint64 deadline, GError **error)
{
	const struct address_question question = {
	    .host = host,
	    .port = ENDPOINT_PORT_SMTP,
	    .family = settings->defaults.family,
	};
	g_autoptr(GArray) addresses = addresses_resolve(resolver, &question,
	    lookup_deadline(settings, deadline), error);

	if (addresses == NULL)
		return FALSE;
	if (name->addresses == NULL)
		name->addresses =
		    g_array_new(FALSE, FALSE, sizeof(struct endpoint));
	g_array_append_vals(name->addresses, addresses->data, addresses->len);
	return TRUE;
}

/* One with an address will do, and those that are as good. */
static gboolean
has_exchanger_of(const struct settings *settings, struct resolver *resolver,
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
		if (has_address(settings, resolver, name, mx->host, deadline,
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
has_exchanger(const struct settings *settings, struct resolver *resolver,
    struct name *name, gint64 deadline, GError **error)
{
	g_autoptr(GError) reason = NULL;
	g_autoptr(GPtrArray) exchangers = resolve_mx(resolver, name->text,
	    lookup_deadline(settings, deadline), &reason);

	if (exchangers != NULL)
		return has_exchanger_of(settings, resolver, name, exchangers,
		    deadline, error);
	if (g_error_matches(reason, RESOLVE_ERROR, RESOLVE_ERROR_NOT_FOUND))
		return has_address(settings, resolver, name, name->text,
		    deadline, error);
	g_propagate_error(error, g_steal_pointer(&reason));
	return FALSE;
}

/* What the threads share that look names up. */
struct lookups {
	const GPtrArray *names;
	const struct settings *settings;
	gint64 deadline;
	gint next; /* the index of a name, atomic */
};

/* Has its own resolver, which is of one thread. */
static void *
look_up(void *data)
{
	struct lookups *lookups = data;
	const GPtrArray *names = lookups->names;
	g_autoptr(Resolver) resolver =
	    resolver_new(lookups->settings->dns_servers);
	guint i;

	while ((i = (guint)g_atomic_int_add(&lookups->next, 1)) < names->len &&
	    deadline_left(lookups->deadline) > 0) {
		struct name *name = names->pdata[i];

		if (name->mail)
			has_exchanger(lookups->settings, resolver, name,
			    lookups->deadline, &name->error);
		else
			has_address(lookups->settings, resolver, name,
			    name->text, lookups->deadline, &name->error);
		name->done = TRUE;
	}
	return NULL;
}

void
names_look_up(const GPtrArray *names, const struct settings *settings)
{
	struct lookups lookups = {names, settings, deadline_in(NAMES_TIME), 0};
	guint count = MIN(LOOKUPS_AT_ONCE, names->len);
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
