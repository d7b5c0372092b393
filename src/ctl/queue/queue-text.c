/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The form for people.
 */

#include <config.h>

#include <string.h>

#include "ctl/duration.h"
#include "ctl/paint.h"
#include "ctl/queue/queue.h"

/* Of the first column; what is longer pushes the others. */
#define WIDTH_MIN 24
#define WIDTH_MAX 48

/* Reasons shown of a host, the most frequent ones. */
#define REASONS_SHOWN 3

#define HOST_INDENT   "  "
#define REASON_INDENT "    "

/* "3 messages", "1 message"; a new string. */
static char *
counted(guint64 count, const char *what)
{
	return g_strdup_printf("%" G_GUINT64_FORMAT " %s%s", count, what,
	    count == 1 ? "" : "s");
}

static void
widen(guint *width, const char *name, const char *indent)
{
	gsize length = strlen(indent) + strlen(name);

	if (length > *width && length <= WIDTH_MAX)
		*width = (guint)length;
}

static guint
width_of(const GPtrArray *routes)
{
	guint width = WIDTH_MIN;

	for (guint i = 0; i < routes->len; i++) {
		const struct group *route = routes->pdata[i];
		g_autoptr(GPtrArray) hosts = group_sorted(route);

		widen(&width, route->name, "");
		for (guint j = 0; j < hosts->len; j++)
			widen(&width, ((struct group *)hosts->pdata[j])->name,
			    HOST_INDENT);
	}
	return width;
}

static void
say_counts(const struct group *group)
{
	g_autofree char *age = group->oldest == 0
	    ? g_strdup("-")
	    : duration_words(group_age(group));

	for (guint i = 0; i < MAILQ_PLACES; i++)
		say(" %8" G_GUINT64_FORMAT, group->messages[i]);
	say("  %s\n", age);
}

static void
say_reasons(const struct group *host)
{
	g_autoptr(GPtrArray) reasons = group_sorted(host);

	for (guint i = 0; i < reasons->len && i < REASONS_SHOWN; i++) {
		const struct group *reason = reasons->pdata[i];

		if (reasons->len > 1)
			say(REASON_INDENT "%" G_GUINT64_FORMAT "  %s\n",
			    group_waiting(reason) +
				reason->messages[MAILQ_HELD],
			    reason->name);
		else
			say(REASON_INDENT "%s\n", reason->name);
	}
	if (reasons->len > REASONS_SHOWN || host->beyond > 0)
		say(REASON_INDENT "and others\n");
}

static void
say_host(const struct ctl *ctl, const struct group *host, guint width)
{
	gboolean named = strcmp(host->name, CENSUS_NO_HOST) != 0;

	say(HOST_INDENT "%s%-*s%s", named ? paint(ctl, PAINT_WARNING) : "",
	    (int)(width - strlen(HOST_INDENT)), named ? host->name : "no host",
	    named ? paint(ctl, PAINT_END) : "");
	say_counts(host);
	say_reasons(host);
}

static void
say_route(const struct ctl *ctl, const struct group *route, guint width)
{
	g_autoptr(GPtrArray) hosts = group_sorted(route);

	say("%s%-*s%s", paint(ctl, PAINT_TITLE), (int)width, route->name,
	    paint(ctl, PAINT_END));
	say_counts(route);
	for (guint i = 0; i < hosts->len; i++)
		say_host(ctl, hosts->pdata[i], width);
	if (route->beyond > 0)
		say(HOST_INDENT "and %" G_GUINT64_FORMAT
				" recipients that wait for other hosts\n",
		    route->beyond);
}

static void
say_sum(const struct census *census)
{
	const struct group *all = census->all;
	guint64 held = all->messages[MAILQ_HELD];
	g_autofree char *messages = counted(group_waiting(all), "message");
	g_autofree char *recipients = counted(all->recipients, "recipient");
	g_autofree char *age = duration_words(group_age(all));

	say("\n%s wait%s", messages, group_waiting(all) == 1 ? "s" : "");
	if (all->oldest != 0)
		say(", the oldest for %s", age);
	if (held > 0)
		say("; %" G_GUINT64_FORMAT " held", held);
	say("; %s\n", recipients);
}

static void
say_others(const struct census *census)
{
	const struct group *others = census->others;
	guint64 count = group_waiting(others) + others->messages[MAILQ_HELD];
	g_autofree char *messages = counted(count, "message");

	if (count > 0)
		say("Not shown: %s with recipients that smtproute does not "
		    "deliver to\n",
		    messages);
}

void
queue_say_text(const struct ctl *ctl, const struct census *census)
{
	g_autoptr(GPtrArray) routes = group_sorted(census->all);
	guint width = width_of(routes);

	if (routes->len == 0) {
		say("Nothing waits.\n");
		say_others(census);
		return;
	}
	say("%-*s %8s %8s %8s  %s\n", (int)width, "ROUTE, HOST", "DEFERRED",
	    "ACTIVE", "HELD", "OLDEST");
	for (guint i = 0; i < routes->len; i++)
		say_route(ctl, routes->pdata[i], width);
	if (census->all->beyond > 0)
		say("and %" G_GUINT64_FORMAT " recipients of other routes\n",
		    census->all->beyond);
	say_sum(census);
	say_others(census);
}
