/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drain, resume, retry, forget: what an administrator may order of hosts.
 */

#include <config.h>

#include <getopt.h>
#include <string.h>

#include "address/domain.h"
#include "address/endpoint.h"
#include "agent/wakeup.h"
#include "ctl/ctl.h"
#include "ctl/hostarg.h"
#include "ctl/hostlist.h"
#include "util/maillog.h"
#include "util/printable.h"

static const struct order {
	const char *command;
	enum hosttable_order order;
	const char *done;
	const char *was_so;
} orders[] = {
    {"drain", HOSTTABLE_DRAIN, "drained", "was drained already"},
    {"resume", HOSTTABLE_RESUME, "resumed", "was not drained"},
    {"retry", HOSTTABLE_RETRY, "is up, as if it had not failed", "is not down"},
    {"forget", HOSTTABLE_FORGET, "is forgotten", "is not remembered"},
};

/* As many routes without hosts are named. */
#define BARE_SHOWN 5

/* More than any key that a lookup finds. */
#define KEY_MAX 300

struct ordering {
	const struct ctl *ctl;
	const struct order *order;
	const struct settings *settings;
	struct hostlist *list;
	GHashTable *drained;  /* struct hostrow, those of this order */
	struct wakeup wakeup; /* for mail that waits for resumed hosts */
	gboolean certain;     /* is a host that is not in the list unknown? */
	gboolean changed;     /* has anything? */
	gboolean mistaken;    /* was an unknown host named? */
	guint bare;           /* routes without a host left */
};

static const struct order *
find_order(const char *command)
{
	for (gsize i = 0; i < G_N_ELEMENTS(orders); i++) {
		if (strcmp(orders[i].command, command) == 0)
			return &orders[i];
	}
	g_assert_not_reached();
}

/* Has it failed, or its TLS, and is that remembered? */
static gboolean
is_failed(const struct hostrow *row)
{
	return !health_is_up(&row->known.record.health) || row->known.tls_hangs;
}

/* What is against it, or makes it needless. */
static void
say_map(const struct order *order, const struct hostrow *row)
{
	gboolean everywhere = hostrow_standing(row) == HOSTROW_DRAINED_IN_MAP;

	if (order->order == HOSTTABLE_FORGET) {
		if (row->known.record.drained)
			say("; it was drained");
		if (row->routes > 0)
			say("; the route map has it in %u route%s", row->routes,
			    row->routes == 1 ? "" : "s");
		return;
	}
	if (order->order == HOSTTABLE_RETRY) {
		if (everywhere || row->known.record.drained)
			say("; but it is drained");
		return;
	}
	if (row->drained_routes == 0)
		return;
	say("; %s the route map drains it%s",
	    order->order == HOSTTABLE_DRAIN ? "and" : "but",
	    everywhere ? "" : " in some routes");
	if (row->drain_line > 0)
		say(", line %u", row->drain_line);
}

static void
call_for(struct ordering *ordering, const struct hosttable_row *known)
{
	GPtrArray *calls =
	    g_ptr_array_new_with_free_func((GDestroyNotify)call_free);

	g_ptr_array_add(calls, call_new(known->name, known->port));
	wakeup_add(&ordering->wakeup, calls);
}

/* FALSE: complain() has said why. */
static gboolean
carry_out(struct ordering *ordering, struct hostrow *row)
{
	const struct order *order = ordering->order;
	g_autoptr(GError) error = NULL;
	gboolean changed;

	if (!hosttable_order(ordering->settings->state_directory,
		row->known.name, row->known.port, order->order, &changed,
		&error)) {
		complain("%s", error->message);
		return FALSE;
	}
	ordering->changed = ordering->changed || changed;
	if (changed && order->order == HOSTTABLE_RESUME)
		call_for(ordering, &row->known);
	say("%s %s", row->label, changed ? order->done : order->was_so);
	say_map(order, row);
	say("\n");
	if (order->order == HOSTTABLE_DRAIN) {
		row->known.record.drained = TRUE;
		g_hash_table_add(ordering->drained, row);
	}
	return TRUE;
}

/*
 * Routes may also come from elsewhere, so it is drained.  Of any other order
 * nothing would come.
 */
static gboolean
carry_out_unknown(struct ordering *ordering, const struct hostarg *arg)
{
	guint16 port = arg->port == 0 ? ENDPOINT_PORT_SMTP : arg->port;
	g_autofree char *label = domain_with_port(arg->name, port);
	struct hostrow row = {
	    .known = {.name = arg->name, .port = port},
	    .label = label,
	};
	gboolean done;

	if (ordering->certain && ordering->order->order != HOSTTABLE_DRAIN) {
		complain("%s: neither the route map nor the state has this "
			 "host",
		    label);
		ordering->mistaken = TRUE;
		return TRUE;
	}
	if (ordering->list->complete)
		complain("warning: %s: neither the route map nor the state "
			 "has this host; a host goes by the name that its "
			 "route has",
		    label);
	done = carry_out(ordering, &row);
	g_hash_table_remove(ordering->drained, &row);
	return done;
}

static gboolean
carry_out_arg(struct ordering *ordering, const struct hostarg *arg)
{
	const GPtrArray *rows = ordering->list->rows;
	gboolean found = FALSE;

	for (guint i = 0; i < rows->len; i++) {
		struct hostrow *row = g_ptr_array_index(rows, i);

		if (!hostarg_matches(arg, row->known.name, row->known.port))
			continue;
		found = TRUE;
		if (!carry_out(ordering, row))
			return FALSE;
	}
	return found || carry_out_unknown(ordering, arg);
}

static gboolean
carry_out_args(struct ordering *ordering, const GPtrArray *args)
{
	for (guint i = 0; i < args->len; i++) {
		if (!carry_out_arg(ordering, g_ptr_array_index(args, i)))
			return FALSE;
	}
	return TRUE;
}

/* The order is retry. */
static gboolean
carry_out_all(struct ordering *ordering)
{
	const GPtrArray *rows = ordering->list->rows;
	gboolean found = FALSE;

	for (guint i = 0; i < rows->len; i++) {
		struct hostrow *row = g_ptr_array_index(rows, i);

		if (!is_failed(row))
			continue;
		found = TRUE;
		if (!carry_out(ordering, row))
			return FALSE;
	}
	if (!found)
		say("no host is down\n");
	return TRUE;
}

/* Has the route lost its last host by this order? */
static gboolean
is_bare(const struct ordering *ordering, const struct hostlist *list,
    const struct route *route)
{
	gboolean touched = FALSE;

	for (guint i = 0; i < route->destinations->len; i++) {
		const struct destination *destination =
		    g_ptr_array_index(route->destinations, i);
		const struct hostrow *row =
		    hostlist_find(list, destination->name, destination->port);

		if (!destination->drain && !row->known.record.drained)
			return FALSE;
		touched =
		    touched || g_hash_table_contains(ordering->drained, row);
	}
	return touched;
}

static void
complain_if_bare(const struct hostlist *list, const struct route *route,
    void *data)
{
	struct ordering *ordering = data;
	g_autofree char *key = NULL;

	if (!is_bare(ordering, list, route) || ++ordering->bare > BARE_SHOWN)
		return;
	key = printable(route->key, KEY_MAX);
	complain("warning: %s has no host left; its mail waits in the queue",
	    key);
}

static void
complain_of_bare_routes(struct ordering *ordering)
{
	hostlist_each_route(ordering->list, complain_if_bare, ordering);
	if (ordering->bare > BARE_SHOWN)
		complain("warning: and %u more routes",
		    ordering->bare - BARE_SHOWN);
}

static void
say_effect(const struct order *order)
{
	say("This takes effect with the next message.\n");
	say("Mail that waits in the queue %s at once after "
	    "\"postqueue -f\".\n",
	    order->order == HOSTTABLE_DRAIN
		? "goes to other hosts when it is tried,"
		: "is tried");
}

static enum ctl_status
order_hosts(struct ordering *ordering, const GPtrArray *args)
{
	g_autoptr(GError) unread = NULL;
	gboolean done;

	if (!ctl_become_agent(ordering->ctl, ordering->settings))
		return CTL_TROUBLE;
	if (!hostlist_add_state(ordering->list, ordering->settings, &unread) &&
	    args->len == 0) {
		complain("%s", unread->message);
		return CTL_TROUBLE;
	}
	ordering->certain = ordering->list->complete && unread == NULL;
	done = args->len == 0 ? carry_out_all(ordering)
			      : carry_out_args(ordering, args);
	if (!done)
		return CTL_TROUBLE;
	/* What cannot be read, but written, is begun anew. */
	if (unread != NULL)
		complain("%s; drained hosts may have to be drained again",
		    unread->message);
	if (ordering->changed)
		say_effect(ordering->order);
	maillog_open(ordering->settings->log, ordering->settings->syslog_name);
	wakeup_start(&ordering->wakeup, ordering->settings);
	if (g_hash_table_size(ordering->drained) > 0)
		complain_of_bare_routes(ordering);
	return ordering->mistaken ? CTL_NO : CTL_OK;
}

enum ctl_status
ctl_drain(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {{NULL, 0, NULL, 0}};
	struct ordering ordering = {
	    .ctl = ctl,
	    .order = find_order(ctl->command),
	};
	g_autoptr(GHashTable) drained = NULL;
	g_autoptr(GPtrArray) args = NULL;
	g_autoptr(Settings) settings = NULL;
	g_autoptr(Hostlist) list = NULL;
	enum ctl_status status;

	if (getopt_long(argc, argv, "", options, NULL) != -1 ||
	    (argc == optind && ordering.order->order != HOSTTABLE_RETRY))
		return CTL_USAGE;
	args = hostarg_parse_all(argc - optind, argv + optind);
	if (args == NULL)
		return CTL_TROUBLE;
	settings = ctl_settings(ctl);
	if (settings == NULL)
		return CTL_TROUBLE;
	/* The map first: the agent may read it by a group that we lose. */
	list = hostlist_new(settings, NULL, NULL, NULL);
	drained = g_hash_table_new(NULL, NULL);
	ordering.drained = drained;
	ordering.settings = settings;
	ordering.list = list;
	status = order_hosts(&ordering, args);
	wakeup_clear(&ordering.wakeup);
	return status;
}
