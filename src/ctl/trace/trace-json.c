/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The form for scripts: one object.
 */

#include <config.h>

#include "ctl/document.h"
#include "ctl/trace/life.h"
#include "ctl/trace/trace.h"

static void
set_event(json_t *to, const struct event *event)
{
	static const char *const kinds[] = {
	    [EVENT_OTHER] = "other",
	    [EVENT_CAME] = "came",
	    [EVENT_NAME] = "name",
	    [EVENT_ATTEMPT] = "attempt",
	    [EVENT_RESULT] = "result",
	    [EVENT_REMOVED] = "removed",
	};

	document_set_time(to, "time", event->time * G_USEC_PER_SEC);
	document_set_text(to, "kind", kinds[event->kind]);
	document_set_text(to, "program", event->program);
	document_set_text(to, "text", event->text);
}

static void
set_fate(json_t *to, const struct fate *fate)
{
	document_set_text(to, "address", fate->address);
	document_set_text(to, "status", fate->status);
	document_set_text(to, "dsn", fate->dsn);
	document_set_text(to, "relay", fate->relay);
	document_set_text(to, "reason", fate->reason);
	document_set_count(to, "tries", fate->tries);
	document_set_time(to, "time", fate->time * G_USEC_PER_SEC);
}

static void
set_life(json_t *to, const struct life *life)
{
	json_t *array = document_set_array(to, "events");

	for (guint i = 0; i < life->events->len; i++)
		set_event(document_add_object(array), life->events->pdata[i]);
	array = document_set_array(to, "recipients");
	for (guint i = 0; i < life->fates->len; i++)
		set_fate(document_add_object(array), life->fates->pdata[i]);
	document_set_count(to, "attempts", life->attempts);
	document_set_flag(to, "removed", life->removed);
}

void
trace_say_json(const struct trace *trace)
{
	json_t *to = json_object();
	json_t *array;

	document_set_text(to, "queue_id", trace->id);
	array = document_set_array(to, "messages");
	for (guint i = 0; i < trace->lives->len; i++)
		set_life(document_add_object(array), trace->lives->pdata[i]);
	document_set_text(to, "queue", trace->queue);
	document_set_time(to, "next_try", trace->next * G_USEC_PER_SEC);
	document_set_count(to, "left_out", trace->left_out);
	document_say(to);
}
