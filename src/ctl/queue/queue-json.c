/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The form for scripts: one object.
 */

#include <config.h>

#include <string.h>

#include "ctl/document.h"
#include "ctl/queue/queue.h"

static void
set_counts(json_t *to, const struct group *group)
{
	document_set_count(to, "messages",
	    group_waiting(group) + group->messages[MAILQ_HELD]);
	document_set_count(to, "deferred", group->messages[MAILQ_DEFERRED]);
	document_set_count(to, "active", group->messages[MAILQ_ACTIVE]);
	document_set_count(to, "held", group->messages[MAILQ_HELD]);
	document_set_count(to, "recipients", group->recipients);
	document_set_time(to, "oldest", group->oldest * G_USEC_PER_SEC);
	document_set_span_if(to, "age", group->oldest != 0, group_age(group));
}

static void
set_reasons(json_t *to, const struct group *host)
{
	g_autoptr(GPtrArray) reasons = group_sorted(host);
	json_t *array = document_set_array(to, "reasons");

	for (guint i = 0; i < reasons->len; i++) {
		const struct group *reason = reasons->pdata[i];
		json_t *object = document_add_object(array);

		document_set_text(object, "reason", reason->name);
		set_counts(object, reason);
	}
	document_set_count(to, "left_out", host->beyond);
}

static void
set_hosts(json_t *to, const struct group *route)
{
	g_autoptr(GPtrArray) hosts = group_sorted(route);
	json_t *array = document_set_array(to, "hosts");

	for (guint i = 0; i < hosts->len; i++) {
		const struct group *host = hosts->pdata[i];
		json_t *object = document_add_object(array);

		document_set_text(object, "host",
		    strcmp(host->name, CENSUS_NO_HOST) == 0 ? NULL
							    : host->name);
		set_counts(object, host);
		set_reasons(object, host);
	}
	document_set_count(to, "left_out", route->beyond);
}

void
queue_say_json(const struct census *census, guint64 unread)
{
	g_autoptr(GPtrArray) routes = group_sorted(census->all);
	json_t *to = json_object();
	json_t *array;

	set_counts(to, census->all);
	array = document_set_array(to, "routes");
	for (guint i = 0; i < routes->len; i++) {
		const struct group *route = routes->pdata[i];
		json_t *object = document_add_object(array);

		document_set_text(object, "route", route->name);
		set_counts(object, route);
		set_hosts(object, route);
	}
	document_set_count(to, "left_out", census->all->beyond);
	document_set_count(to, "others",
	    group_waiting(census->others) +
		census->others->messages[MAILQ_HELD]);
	document_set_count(to, "unread", unread);
	document_say(to);
}
