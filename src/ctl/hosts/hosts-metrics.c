/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two forms of the same: Prometheus's text format, 0.0.4, and OpenMetrics 1.0
 * (https://github.com/OpenObservability/OpenMetrics).  A counter's samples end
 * in "_total" in both.  Its name does in the first one only, and a text for
 * both would leave it without type or help in one of them.  Last errors are
 * left out: each text would begin a series of its own.
 */

#include <config.h>

#include <string.h>

#include "ctl/ctl.h"
#include "ctl/hostrate.h"
#include "ctl/hosts/hosts.h"
#include "ctl/hosts/machine.h"
#include "smtp/outcome.h"

#define PREFIX "smtproute_host_"

/* Where samples go. */
struct sink {
	GString *text;
	const char *family;
	const struct hostrow *row;
};

/* @suffix: of the family's name; @stage: NULL, or a label's value. */
static void
begin_sample(const struct sink *to, const char *suffix, const char *stage)
{
	const struct hosttable_row *known = &to->row->known;

	g_string_append_printf(to->text, PREFIX "%s%s{host=", to->family,
	    suffix);
	machine_text(to->text, known->name);
	g_string_append_printf(to->text, ",port=\"%u\"", known->port);
	if (stage != NULL) {
		g_string_append(to->text, ",stage=");
		machine_text(to->text, stage);
	}
	g_string_append(to->text, "} ");
}

static void
add_number(const struct sink *to, const char *suffix, guint64 number)
{
	begin_sample(to, suffix, NULL);
	g_string_append_printf(to->text, "%" G_GUINT64_FORMAT "\n", number);
}

static void
add_seconds(const struct sink *to, const char *suffix, guint64 microseconds)
{
	begin_sample(to, suffix, NULL);
	machine_seconds(to->text, microseconds);
	g_string_append_c(to->text, '\n');
}

static void
add_time(const struct sink *to, gint64 time)
{
	if (time > 0)
		add_seconds(to, "", (guint64)time);
}

static void
add_latency(const struct sink *to, const struct latency *latency)
{
	add_number(to, "_count", latency->count);
	add_seconds(to, "_sum", latency->sum);
}

static void
add_up(const struct sink *to)
{
	add_number(to, "", health_is_up(&to->row->known.record.health));
}

static void
add_drained(const struct sink *to)
{
	enum hostrow_standing standing = hostrow_standing(to->row);

	add_number(to, "",
	    standing == HOSTROW_DRAINED || standing == HOSTROW_DRAINED_IN_MAP);
}

static void
add_down_since(const struct sink *to)
{
	const struct health *health = &to->row->known.record.health;

	if (!health_is_up(health))
		add_time(to, health->since);
}

static void
add_routes(const struct sink *to)
{
	add_number(to, "", to->row->routes);
}

static void
add_next_try(const struct sink *to)
{
	if (!health_is_up(&to->row->known.record.health))
		add_seconds(to, "", (guint64)to->row->known.wait);
}

static void
add_deliveries(const struct sink *to)
{
	add_number(to, "_total", to->row->known.record.deliveries);
}

static void
add_deferrals(const struct sink *to)
{
	add_number(to, "_total", to->row->known.record.deferrals);
}

static void
add_bounces(const struct sink *to)
{
	add_number(to, "_total", to->row->known.record.bounces);
}

static void
add_connections(const struct sink *to)
{
	add_number(to, "_total", to->row->known.record.connections);
}

static void
add_failures(const struct sink *to)
{
	for (guint i = 0; i < STAGE_COUNT; i++) {
		begin_sample(to, "_total", stage_name(i));
		g_string_append_printf(to->text, "%" G_GUINT64_FORMAT "\n",
		    (guint64)to->row->known.record.failures[i]);
	}
}

static void
add_suspect(const struct sink *to)
{
	add_number(to, "", to->row->known.record.suspicion.sender != 0);
}

static void
add_connected(const struct sink *to)
{
	add_number(to, "", to->row->known.connected);
}

static void
add_waiting(const struct sink *to)
{
	add_number(to, "", to->row->known.waiting);
}

static void
add_learned_connections(const struct sink *to)
{
	if (to->row->remembered && to->row->known.capacity != G_MAXUINT)
		add_number(to, "", to->row->known.capacity);
}

static void
add_max_connections(const struct sink *to)
{
	if (to->row->max_connections > 0)
		add_number(to, "", to->row->max_connections);
}

static void
add_rates(const struct sink *to, gboolean used)
{
	const struct hostrow *row = to->row;
	struct hostrate rate;

	for (guint i = 0; hostrate_get(row->rates, row->known.tally, i, &rate);
	     i++) {
		g_string_append_printf(to->text, PREFIX "%s{host=", to->family);
		machine_text(to->text, row->known.name);
		g_string_append_printf(to->text,
		    ",port=\"%u\",unit=\"%s\",span=\"%" G_GINT64_FORMAT
		    "\"} %" G_GUINT64_FORMAT "\n",
		    row->known.port, hostrate_unit(rate.unit),
		    rate.rate->span / G_USEC_PER_SEC,
		    used ? rate.used : rate.rate->count);
	}
}

static void
add_rate_limit(const struct sink *to)
{
	add_rates(to, FALSE);
}

static void
add_rate_used(const struct sink *to)
{
	add_rates(to, TRUE);
}

static void
add_last_success(const struct sink *to)
{
	add_time(to, to->row->known.record.last_success);
}

static void
add_last_failure(const struct sink *to)
{
	add_time(to, to->row->known.record.last_failure);
}

static void
add_connect_time(const struct sink *to)
{
	add_latency(to, &to->row->known.record.connect);
}

static void
add_total_time(const struct sink *to)
{
	add_latency(to, &to->row->known.record.total);
}

static const struct family {
	const char *name;
	const char *type;
	gboolean seconds; /* is its unit */
	const char *help;
	void (*add)(const struct sink *to);
} families[] = {
    {"up", "gauge", FALSE, "1 if the host is up, 0 if it is down.", add_up},
    {"drained", "gauge", FALSE,
	"1 if the host is drained, by command or wherever the route map has "
	"it.",
	add_drained},
    {"routes", "gauge", FALSE,
	"Routes of the map that have the host; 0 if it has none any more.",
	add_routes},
    {"down_since_timestamp_seconds", "gauge", TRUE,
	"When a host that is down went down.", add_down_since},
    {"next_try_seconds", "gauge", TRUE,
	"Until a host that is down is tried again.", add_next_try},
    {"deliveries", "counter", FALSE, "Recipients delivered.", add_deliveries},
    {"deferrals", "counter", FALSE, "Recipients deferred.", add_deferrals},
    {"bounces", "counter", FALSE, "Recipients refused for good.", add_bounces},
    {"connections", "counter", FALSE, "Connections made.", add_connections},
    {"failures", "counter", FALSE,
	"Failures of the host as a whole, by the stage of the dialogue.",
	add_failures},
    {"suspect", "gauge", FALSE,
	"1 if another 421 for another sender would make it go down.",
	add_suspect},
    {"connected", "gauge", FALSE, "Connections now.", add_connected},
    {"waiting", "gauge", FALSE, "Deliveries that wait for the host.",
	add_waiting},
    {"learned_connections", "gauge", FALSE,
	"How many connections the host takes, as it has shown.",
	add_learned_connections},
    {"max_connections", "gauge", FALSE, "The setting max-connections.",
	add_max_connections},
    {"rate_limit", "gauge", FALSE,
	"How many the host may get in the span (seconds), by its rates.",
	add_rate_limit},
    {"rate_used", "gauge", FALSE, "How many of these it has had.",
	add_rate_used},
    {"last_success_timestamp_seconds", "gauge", TRUE,
	"When the host answered last without a failure of its own.",
	add_last_success},
    {"last_failure_timestamp_seconds", "gauge", TRUE,
	"When the host failed last.", add_last_failure},
    {"connect_time_seconds", "summary", TRUE,
	"What successful connections took to make.", add_connect_time},
    {"total_time_seconds", "summary", TRUE,
	"What attempts took that came to an answer.", add_total_time},
};

static void
add_head(GString *text, enum metrics form, const struct family *family)
{
	gboolean total =
	    form == METRICS_TEXT && strcmp(family->type, "counter") == 0;
	const char *suffix = total ? "_total" : "";

	g_string_append_printf(text,
	    "# HELP " PREFIX "%s%s %s\n# TYPE " PREFIX "%s%s %s\n",
	    family->name, suffix, family->help, family->name, suffix,
	    family->type);
	if (form == METRICS_OPEN && family->seconds)
		g_string_append_printf(text, "# UNIT " PREFIX "%s seconds\n",
		    family->name);
}

static void
add_family(GString *text, enum metrics form, const struct family *family,
    const GPtrArray *rows)
{
	add_head(text, form, family);
	for (guint i = 0; i < rows->len; i++) {
		const struct sink to = {text, family->name,
		    g_ptr_array_index(rows, i)};

		family->add(&to);
	}
}

/* Of the whole gateway. */
static void
add_general(GString *text, enum metrics form, const char *name,
    const char *type, guint64 value, const char *help)
{
	gboolean counter = strcmp(type, "counter") == 0;
	const char *suffix = counter && form == METRICS_TEXT ? "_total" : "";

	g_string_append_printf(text,
	    "# HELP smtproute_%s%s %s\n# TYPE smtproute_%s%s %s\n"
	    "smtproute_%s%s %" G_GUINT64_FORMAT "\n",
	    name, suffix, help, name, suffix, type, name,
	    counter ? "_total" : "", value);
}

static void
add_backlog(GString *text, enum metrics form, const struct backlog *backlog)
{
	gint64 age = backlog->all.messages == 0
	    ? 0
	    : MAX(g_get_real_time() - backlog->all.oldest, 0);

	add_general(text, form, "waiting_messages", "gauge",
	    backlog->all.messages,
	    "Messages in the queue that wait for a host.");
	add_general(text, form, "waiting_oldest_age_seconds", "gauge",
	    (guint64)(age / G_USEC_PER_SEC),
	    "For how many seconds the oldest of them has waited.");
	add_general(text, form, "woken_messages", "counter", backlog->woken,
	    "Messages that were tried again as soon as a host was there.");
}

void
hosts_say_metrics(enum metrics form, const GPtrArray *rows,
    const struct figures *figures)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(families); i++)
		add_family(text, form, &families[i], rows);
	add_general(text, form, "other_hosts", "gauge", figures->strangers,
	    "Hosts that only DNS has named, and that are not shown.");
	add_general(text, form, "state_usable", "gauge", figures->state ? 1 : 0,
	    "1 if what is learned of hosts can be read and kept, 0 if not.");
	add_general(text, form, "map_usable", "gauge", figures->map ? 1 : 0,
	    "1 if all of the route map can be read, 0 if not.");
	add_general(text, form, "log_usable", "gauge", figures->log ? 1 : 0,
	    "1 if the log can be written, 0 if not.");
	if (figures->backlog != NULL)
		add_backlog(text, form, figures->backlog);
	if (form == METRICS_OPEN)
		g_string_append(text, "# EOF\n");
	say("%s", text->str);
}
