/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hosts: shows what is known of hosts.
 */

#include <config.h>

#include <getopt.h>

#include "address/domain.h"
#include "ctl/ctl.h"
#include "ctl/figures.h"
#include "ctl/hostarg.h"
#include "ctl/hosts/hosts.h"
#include "ctl/hosts/watch.h"
#include "ctl/sight.h"
#include "route/routemap.h"

#define WATCH_DEFAULT 2 /* seconds */
#define WATCH_MAX     3600

enum form {
	FORM_TABLE,
	FORM_JSON,
	FORM_METRICS,
	FORM_OPENMETRICS,
	FORM_CHECK,
};

struct request {
	const struct ctl *ctl;
	const struct settings *settings;
	GPtrArray *args; /* empty: all hosts */
	enum form form;
	guint watch;             /* seconds, 0: once */
	gboolean all;            /* hosts that only DNS has named, too */
	gboolean down;           /* those that are down alone */
	enum ctl_status verdict; /* of FORM_CHECK */
	GHashTable
	    *before; /* of hosts_deliveries(), the last time; NULL: none */
	gint64 then; /* g_get_monotonic_time() of it */
	GBytes *map; /* the route map as it was last; NULL: none yet */
};

/* The rows that @arg is for join @rows. */
static gboolean
select_rows(const struct hostlist *list, const struct hostarg *arg,
    GPtrArray *rows)
{
	gboolean found = FALSE;

	for (guint i = 0; i < list->rows->len; i++) {
		struct hostrow *row = g_ptr_array_index(list->rows, i);

		if (!hostarg_matches(arg, row->known.name, row->known.port))
			continue;
		found = TRUE;
		if (!g_ptr_array_find(rows, row, NULL))
			g_ptr_array_add(rows, row);
	}
	return found;
}

/* The hosts of the route for mail to this domain join @rows. */
static gboolean
select_route(const struct request *request, const struct hostlist *list,
    const struct hostarg *arg, GPtrArray *rows)
{
	g_autoptr(Route) route = arg->port != 0
	    ? NULL
	    : routemap_find(request->settings->routes, NULL, arg->name, NULL);

	for (guint i = 0; route != NULL && i < route->destinations->len; i++) {
		const struct destination *to =
		    g_ptr_array_index(route->destinations, i);
		struct hostrow *row = hostlist_find(list, to->name, to->port);

		if (row != NULL && !g_ptr_array_find(rows, row, NULL))
			g_ptr_array_add(rows, row);
	}
	return route != NULL && route->destinations->len > 0;
}

static void
complain_unknown(const struct hostarg *arg)
{
	g_autofree char *label = arg->port == 0
	    ? g_strdup(arg->name)
	    : domain_with_port(arg->name, arg->port);

	complain("%s: neither the route map nor the state has this host",
	    label);
}

static void
keep_down(GPtrArray *rows)
{
	for (guint i = rows->len; i > 0; i--) {
		if (hostrow_standing(g_ptr_array_index(rows, i - 1)) !=
		    HOSTROW_DOWN)
			g_ptr_array_remove_index(rows, i - 1);
	}
}

static enum ctl_status
show_some(const struct request *request, const struct hostlist *list,
    GPtrArray *rows)
{
	enum ctl_status status = CTL_OK;

	for (guint i = 0; i < request->args->len; i++) {
		const struct hostarg *arg = g_ptr_array_index(request->args, i);

		if (select_rows(list, arg, rows) ||
		    select_route(request, list, arg, rows))
			continue;
		complain_unknown(arg);
		status = CTL_NO;
	}
	return status;
}

static void
say_table(struct request *request, const GPtrArray *rows)
{
	gint64 now = g_get_monotonic_time();
	const struct hosts_view view = {
	    .ctl = request->ctl,
	    .width = watch_width(HOSTS_WIDTH),
	    .watched = request->watch > 0,
	    .before = request->before,
	    .span = now - request->then,
	};

	if (request->down && rows->len == 0)
		say("No host is down.\n");
	else
		hosts_say_table(&view, rows);
	g_clear_pointer(&request->before, g_hash_table_unref);
	request->before = hosts_deliveries(rows);
	request->then = now;
}

static gboolean
is_metrics(enum form form)
{
	return form == FORM_METRICS || form == FORM_OPENMETRICS;
}

static void
say_rows(struct request *request, const struct sight *sight, GPtrArray *rows,
    guint strangers)
{
	g_autoptr(Figures) figures = is_metrics(request->form)
	    ? figures_new(request->settings, sight, strangers)
	    : NULL;

	if (request->down)
		keep_down(rows);
	switch (request->form) {
	case FORM_TABLE:
		say_table(request, rows);
		break;
	case FORM_JSON:
		hosts_say_json(rows);
		break;
	case FORM_METRICS:
		hosts_say_metrics(METRICS_TEXT, rows, figures);
		break;
	case FORM_OPENMETRICS:
		hosts_say_metrics(METRICS_OPEN, rows, figures);
		break;
	case FORM_CHECK:
		request->verdict = hosts_say_check(rows, sight_trouble(sight));
		break;
	}
}

static void
keep_map(struct request *request, const struct hostlist *list)
{
	g_clear_pointer(&request->map, g_bytes_unref);
	if (list->map != NULL)
		request->map = g_bytes_ref(list->map);
}

/* Who only reads metrics is to learn of it, too. */
static void
complain_of_state(struct request *request, const struct sight *sight)
{
	g_autoptr(GPtrArray) none = g_ptr_array_new();

	complain("%s", sight->error->message);
	if (is_metrics(request->form))
		say_rows(request, sight, none, 0);
}

static void
show_known(struct request *request, const struct sight *sight)
{
	guint strangers;
	g_autoptr(GPtrArray) rows = sight_rows(sight, request->all, &strangers);

	say_rows(request, sight, rows, strangers);
	if (strangers > 0 && request->form == FORM_TABLE)
		say("\nAnd %u host%s that only DNS has named: --all shows "
		    "%s.\n",
		    strangers, strangers == 1 ? "" : "s",
		    strangers == 1 ? "it" : "them");
}

static enum ctl_status
show(struct request *request)
{
	g_autoptr(Sight) sight = sight_new(request->ctl, request->settings,
	    request->map, NULL, NULL);
	g_autoptr(GPtrArray) rows = g_ptr_array_new();
	enum ctl_status status;

	if (sight == NULL)
		return CTL_TROUBLE;
	keep_map(request, sight->list);
	if (sight->error != NULL) {
		complain_of_state(request, sight);
		return CTL_TROUBLE;
	}
	if (sight->usable && sight->agent && sight_has_memory(sight))
		sight_forget_gone(sight, request->settings);
	if (request->args->len == 0) {
		show_known(request, sight);
		return CTL_OK;
	}
	status = show_some(request, sight->list, rows);
	if (status != CTL_OK && request->form == FORM_CHECK)
		return status;
	if (rows->len > 0 || request->form != FORM_TABLE)
		say_rows(request, sight, rows, 0);
	return status;
}

/* What there is to say, and to complain of. */
static enum ctl_status
look(struct request *request, GString *said, GString *complaints)
{
	enum ctl_status status;

	g_string_truncate(said, 0);
	g_string_truncate(complaints, 0);
	say_divert(said, complaints);
	status = show(request);
	say_divert(NULL, NULL);
	return status;
}

/* Later trouble may pass, as that of a state that is begun anew. */
static enum ctl_status
watch(struct request *request)
{
	g_autoptr(GString) said = g_string_new(NULL);
	g_autoptr(GString) complaints = g_string_new(NULL);
	enum ctl_status status = look(request, said, complaints);

	watch_begin(status == CTL_OK);
	watch_show(request->watch, complaints->str, said->str);
	while (status == CTL_OK) {
		if (!say_flush()) {
			status = CTL_TROUBLE;
		} else if (!watch_wait(request->watch)) {
			break;
		} else {
			ctl_wake(request->ctl);
			look(request, said, complaints);
			watch_show(request->watch, complaints->str, said->str);
		}
	}
	watch_end();
	return status;
}

/* FALSE: @text is not a number of seconds, complain() has said so. */
static gboolean
parse_seconds(const char *text, guint *ret)
{
	guint64 number = WATCH_DEFAULT;

	if (text != NULL &&
	    !g_ascii_string_to_unsigned(text, 10, 1, WATCH_MAX, &number,
		NULL)) {
		complain("bad number of seconds in --watch; expected 1 to "
			 "" G_STRINGIFY(WATCH_MAX));
		return FALSE;
	}
	*ret = (guint)number;
	return TRUE;
}

/* FALSE: not as the usage says. */
static gboolean
parse_options(int argc, char **argv, struct request *request)
{
	static const struct option options[] = {
	    {"all", no_argument, NULL, 'a'},
	    {"check", no_argument, NULL, 'c'},
	    {"down", no_argument, NULL, 'd'},
	    {"json", no_argument, NULL, 'j'},
	    {"metrics", no_argument, NULL, 'm'},
	    {"openmetrics", no_argument, NULL, 'o'},
	    {"watch", optional_argument, NULL, 'w'},
	    {NULL, 0, NULL, 0},
	};
	guint given = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a')
			request->all = TRUE;
		else if (option == 'c')
			request->form = FORM_CHECK;
		else if (option == 'd')
			request->down = TRUE;
		else if (option == 'j')
			request->form = FORM_JSON;
		else if (option == 'm')
			request->form = FORM_METRICS;
		else if (option == 'o')
			request->form = FORM_OPENMETRICS;
		else if (option != 'w' ||
		    !parse_seconds(optarg, &request->watch))
			return FALSE;
		given += option != 'a' && option != 'd';
	}
	/* Of those that are down all are. */
	return given <= 1 && !(request->down && request->form == FORM_CHECK);
}

static enum ctl_status
answer(struct request *request, GPtrArray *args)
{
	g_autoptr(Settings) settings = ctl_settings(request->ctl);
	enum ctl_status status;

	if (settings == NULL)
		return CTL_TROUBLE;
	request->args = args;
	request->settings = settings;
	status = request->watch > 0 ? watch(request) : show(request);
	g_clear_pointer(&request->map, g_bytes_unref);
	g_clear_pointer(&request->before, g_hash_table_unref);
	return status;
}

/* A monitoring system looks at stdout alone. */
static enum ctl_status
verdict(const struct request *request, enum ctl_status status)
{
	if (request->form != FORM_CHECK)
		return status;
	if (status == CTL_OK)
		return request->verdict;
	say("SMTPROUTE UNKNOWN - \"smtproutectl hosts\" says why\n");
	return CTL_UNKNOWN;
}

enum ctl_status
ctl_hosts(const struct ctl *ctl, int argc, char **argv)
{
	struct request request = {.ctl = ctl};
	g_autoptr(GPtrArray) args = NULL;
	enum ctl_status status = CTL_TROUBLE;

	if (!parse_options(argc, argv, &request))
		return CTL_USAGE;
	args = hostarg_parse_all(argc - optind, argv + optind);
	if (args != NULL)
		status = answer(&request, args);
	return verdict(&request, status);
}
