/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line and an exit status for Nagios and its heirs, as the Monitoring Plugins
 * Development Guidelines want them.
 */

#include <config.h>

#include <string.h>

#include "conf/value.h"
#include "ctl/duration.h"
#include "ctl/queue/queue.h"

/* As many routes as the line names. */
#define NAMED_MAX 5

/* Mail does not wait for longer anywhere. */
#define DAYS_MAX 100

/* As times of the settings, and "2d". */
static gboolean
parse_age(const char *text, gint64 *ret)
{
	gsize length = strlen(text);
	g_autofree char *digits = g_strdup(text);
	guint64 days;

	if (!g_str_has_suffix(text, "d"))
		return value_take_time(text, NULL, ret);
	digits[length - 1] = '\0';
	if (!g_ascii_string_to_unsigned(digits, 10, 1, DAYS_MAX, &days, NULL))
		return FALSE;
	*ret = (gint64)days * G_TIME_SPAN_DAY;
	return TRUE;
}

gboolean
queue_parse_limit(const char *text, struct queue_limit *ret)
{
	g_auto(GStrv) parts = g_strsplit(text, ",", 2);
	struct queue_limit limit = *ret;

	if (parts[0] == NULL ||
	    !g_ascii_string_to_unsigned(parts[0], 10, 1, G_MAXINT32,
		&limit.messages, NULL) ||
	    (parts[1] != NULL && !parse_age(parts[1], &limit.age)))
		return FALSE;
	*ret = limit;
	return TRUE;
}

static gboolean
exceeds(const struct group *all, const struct queue_limit *limit)
{
	return group_waiting(all) >= limit->messages ||
	    group_age(all) >= limit->age;
}

static void
say_routes(const struct group *all)
{
	g_autoptr(GPtrArray) routes = group_sorted(all);

	for (guint i = 0; i < routes->len && i < NAMED_MAX; i++) {
		const struct group *route = routes->pdata[i];
		g_autofree char *name =
		    g_strdelimit(g_strdup(route->name), "|", '?');

		say("%s%" G_GUINT64_FORMAT " for %s", i == 0 ? ": " : ", ",
		    group_waiting(route), name);
	}
	if (routes->len > NAMED_MAX)
		say(", ...");
}

static void
say_figures(const struct group *all, const struct queue_limit *warning,
    const struct queue_limit *critical)
{
	say("|messages=%" G_GUINT64_FORMAT ";%" G_GUINT64_FORMAT
	    ";%" G_GUINT64_FORMAT ";0 oldest=%" G_GINT64_FORMAT
	    "s;%" G_GINT64_FORMAT ";%" G_GINT64_FORMAT ";0",
	    group_waiting(all), warning->messages, critical->messages,
	    group_age(all) / G_USEC_PER_SEC, warning->age / G_USEC_PER_SEC,
	    critical->age / G_USEC_PER_SEC);
	say(" deferred=%" G_GUINT64_FORMAT ";;;0 active=%" G_GUINT64_FORMAT
	    ";;;0 held=%" G_GUINT64_FORMAT ";;;0\n",
	    all->messages[MAILQ_DEFERRED], all->messages[MAILQ_ACTIVE],
	    all->messages[MAILQ_HELD]);
}

enum ctl_status
queue_say_check(const struct census *census, const struct queue_limit *warning,
    const struct queue_limit *critical)
{
	static const char *const words[] = {
	    [CTL_OK] = "OK",
	    [CTL_NO] = "WARNING",
	    [CTL_TROUBLE] = "CRITICAL",
	};
	const struct group *all = census->all;
	enum ctl_status status = exceeds(all, critical) ? CTL_TROUBLE
	    : exceeds(all, warning)                     ? CTL_NO
							: CTL_OK;
	guint64 count = group_waiting(all);

	say("SMTPROUTE QUEUE %s - %" G_GUINT64_FORMAT " message%s wait%s",
	    words[status], count, count == 1 ? "" : "s", count == 1 ? "s" : "");
	if (all->oldest != 0) {
		g_autofree char *age = duration_words(group_age(all));

		say(", the oldest for %s", age);
	}
	say_routes(all);
	say_figures(all, warning, critical);
	return status;
}
