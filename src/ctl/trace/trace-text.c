/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The form for people.
 */

#include <config.h>

#include <string.h>

#include "ctl/duration.h"
#include "ctl/paint.h"
#include "ctl/trace/life.h"
#include "ctl/trace/trace.h"

/* Local time, a new string. */
static char *
stamp(gint64 time, const char *format)
{
	g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(time);

	return date != NULL ? g_date_time_format(date, format) : g_strdup("-");
}

static char *
date_of(gint64 time)
{
	return stamp(time, "%Y-%m-%d %H:%M:%S");
}

/* What is behind "client=", "from=" and so on. */
static const char *
value_of(const char *text)
{
	return strchr(text, '=') + 1;
}

/* What is before " (queue active)", a new string. */
static char *
sender_of(const struct event *event)
{
	const char *text = value_of(event->text);
	const char *end = strstr(text, " (queue");

	return end != NULL ? g_strndup(text, (gsize)(end - text))
			   : g_strdup(text);
}

static void
say_attempt(const struct ctl *ctl, const struct event *event, guint number)
{
	g_autofree char *date = date_of(event->time);
	g_autofree char *sender = sender_of(event);

	if (number == 1)
		say("sender    %s\n", sender);
	say("\n%sattempt %u%s  %s\n", paint(ctl, PAINT_TITLE), number,
	    paint(ctl, PAINT_END), date);
}

static enum paint
paint_of(const struct fate *fate)
{
	if (strcmp(fate->status, "sent") == 0)
		return PAINT_GOOD;
	return strcmp(fate->status, "deferred") == 0 ? PAINT_WARNING
						     : PAINT_BAD;
}

static void
say_fate(const struct ctl *ctl, const struct fate *fate)
{
	say("%s %s%s%s %s by %s: %s\n", fate->address,
	    paint(ctl, paint_of(fate)), fate->status, paint(ctl, PAINT_END),
	    fate->dsn, fate->relay, fate->reason);
}

static void
say_line(const struct ctl *ctl, const struct event *event)
{
	g_autofree char *time = stamp(event->time, "%H:%M:%S");
	struct fate *fate =
	    event->kind == EVENT_RESULT ? fate_parse(event) : NULL;

	say("  %s  ", time);
	if (fate == NULL) {
		say("%s: %s\n", event->program, event->text);
		return;
	}
	say_fate(ctl, fate);
	fate_free(fate);
}

static void
say_event(const struct ctl *ctl, const struct event *event, guint *attempts)
{
	g_autofree char *date = date_of(event->time);

	switch (event->kind) {
	case EVENT_CAME:
		say("came in   %s  %s\n", date, event->text);
		break;
	case EVENT_NAME:
		say("message   %s\n", value_of(event->text));
		break;
	case EVENT_ATTEMPT:
		say_attempt(ctl, event, ++*attempts);
		break;
	case EVENT_REMOVED:
		say("\nremoved   %s\n", date);
		break;
	case EVENT_RESULT:
	case EVENT_OTHER:
		say_line(ctl, event);
		break;
	}
}

/* What each recipient has come to. */
static void
say_fates(const struct ctl *ctl, const struct life *life)
{
	for (guint i = 0; i < life->fates->len; i++) {
		const struct fate *fate = life->fates->pdata[i];
		g_autofree char *date = date_of(fate->time);

		say("%s%-9s %s  %s%s%s, %s, %u tr%s\n", i == 0 ? "\n" : "",
		    i == 0 ? "result" : "", fate->address,
		    paint(ctl, paint_of(fate)), fate->status,
		    paint(ctl, PAINT_END), date, fate->tries,
		    fate->tries == 1 ? "y" : "ies");
	}
}

/* Since when it waits, and until when. */
static void
say_waiting(const struct trace *trace, const struct life *life)
{
	const struct event *first = life->events->pdata[0];
	gint64 now = g_get_real_time();
	g_autofree char *date = date_of(first->time);
	g_autofree char *age =
	    duration_words(MAX(now - first->time * G_USEC_PER_SEC, 0));
	g_autofree char *next = date_of(trace->next);

	if (trace->queue == NULL) {
		say("waits     since %s (%s), if it is still in the queue\n",
		    date, age);
		return;
	}
	say("waits     since %s (%s), in the queue \"%s\"\n", date, age,
	    trace->queue);
	if (trace->next > now / G_USEC_PER_SEC)
		say("next try  %s\n", next);
	else if (trace->next > 0)
		say("next try  due now\n");
}

static void
say_life(const struct ctl *ctl, const struct trace *trace,
    const struct life *life)
{
	guint attempts = 0;

	for (guint i = 0; i < life->events->len; i++)
		say_event(ctl, life->events->pdata[i], &attempts);
	say_fates(ctl, life);
	if (!life->removed)
		say_waiting(trace, life);
}

void
trace_say_text(const struct ctl *ctl, const struct trace *trace)
{
	guint count = trace->lives->len;

	for (guint i = 0; i < count; i++) {
		if (count > 1)
			say("%s%s%s, %u of %u messages with this id%s\n",
			    i > 0 ? "\n\n" : "", paint(ctl, PAINT_TITLE),
			    trace->id, i + 1, count, paint(ctl, PAINT_END));
		say_life(ctl, trace, trace->lives->pdata[i]);
	}
	if (trace->left_out > 0)
		say("\nand %" G_GUINT64_FORMAT " more lines\n",
		    trace->left_out);
}
