/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/trace/life.h"
#include "util/printable.h"

/* Postfix cuts a reason at some 2,000 bytes. */
#define TEXT_MAX 4000

/* Recipients whose fate is told; a message may have 50,000. */
#define FATES_MAX 1000

static enum event_kind
kind_of(const char *message)
{
	static const struct {
		const char *head;
		enum event_kind kind;
	} kinds[] = {
	    {"client=", EVENT_CAME},
	    {"uid=", EVENT_CAME},
	    {"message-id=", EVENT_NAME},
	    {"from=", EVENT_ATTEMPT},
	    {"to=", EVENT_RESULT},
	};

	/* As qmgr(8) says it. */
	if (strcmp(message, "removed") == 0)
		return EVENT_REMOVED;
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (!g_str_has_prefix(message, kinds[i].head))
			continue;
		/* "(queue active)", and not "status=expired". */
		if (kinds[i].kind == EVENT_ATTEMPT &&
		    strstr(message, " (queue") == NULL)
			return EVENT_OTHER;
		return kinds[i].kind;
	}
	return EVENT_OTHER;
}

struct event *
event_new(gint64 time, const char *program, const char *message)
{
	struct event *event = g_new0(struct event, 1);

	event->kind = kind_of(message);
	event->time = time;
	event->program = g_strdup(program);
	event->text = printable(message, TEXT_MAX);
	return event;
}

void
event_free(gpointer data)
{
	struct event *event = data;

	g_free(event->program);
	g_free(event->text);
	g_free(event);
}

void
fate_free(gpointer data)
{
	struct fate *fate = data;

	g_free(fate->address);
	g_free(fate->status);
	g_free(fate->dsn);
	g_free(fate->relay);
	g_free(fate->reason);
	g_free(fate);
}

/*
 * What is between @head and the next @stop of *at, which goes behind that; a
 * new string, NULL: there is none.
 */
static char *
cut(const char **at, const char *head, const char *stop)
{
	const char *begin = strstr(*at, head);
	const char *end;

	if (begin == NULL)
		return NULL;
	begin += strlen(head);
	end = strstr(begin, stop);
	if (end == NULL)
		return NULL;
	*at = end;
	return g_strndup(begin, (gsize)(end - begin));
}

/*
 * "to=<address>, relay=..., delay=..., dsn=4.4.1, status=deferred (reason)";
 * other fields may be in between.
 */
struct fate *
fate_parse(const struct event *event)
{
	struct fate *fate = g_new0(struct fate, 1);
	const char *at = event->text;

	fate->address = cut(&at, "to=<", ">, ");
	fate->relay = cut(&at, ", relay=", ", ");
	fate->dsn = cut(&at, ", dsn=", ", ");
	fate->status = cut(&at, ", status=", " (");
	if (fate->address == NULL || fate->relay == NULL || fate->dsn == NULL ||
	    fate->status == NULL) {
		fate_free(fate);
		return NULL;
	}
	fate->reason = g_strdup(at + strlen(" ("));
	if (g_str_has_suffix(fate->reason, ")"))
		fate->reason[strlen(fate->reason) - 1] = '\0';
	fate->time = event->time;
	fate->tries = 1;
	return fate;
}

static void
life_free(gpointer data)
{
	struct life *life = data;

	g_ptr_array_unref(life->events);
	g_ptr_array_unref(life->fates);
	g_free(life);
}

static struct life *
life_new(void)
{
	struct life *life = g_new0(struct life, 1);

	life->events = g_ptr_array_new_with_free_func(event_free);
	life->fates = g_ptr_array_new_with_free_func(fate_free);
	return life;
}

/* The newer one takes the place of the older one's. */
static void
add_fate(struct life *life, struct fate *fate)
{
	for (guint i = 0; i < life->fates->len; i++) {
		struct fate *known = life->fates->pdata[i];

		if (strcmp(known->address, fate->address) != 0)
			continue;
		fate->tries += known->tries;
		fate_free(known);
		life->fates->pdata[i] = fate;
		return;
	}
	if (life->fates->len < FATES_MAX)
		g_ptr_array_add(life->fates, fate);
	else
		fate_free(fate);
}

static void
add_event(struct life *life, struct event *event)
{
	struct fate *fate =
	    event->kind == EVENT_RESULT ? fate_parse(event) : NULL;

	g_ptr_array_add(life->events, event);
	if (fate != NULL)
		add_fate(life, fate);
	life->attempts += event->kind == EVENT_ATTEMPT;
	life->removed = life->removed || event->kind == EVENT_REMOVED;
}

static int
compare_times(const void *a, const void *b)
{
	const struct event *one = *(const struct event *const *)a;
	const struct event *other = *(const struct event *const *)b;

	if (one->time == other->time)
		return 0;
	return one->time < other->time ? -1 : 1;
}

/* Those that are @apart, or are not, by time; an array that borrows them. */
static GPtrArray *
sorted(const GPtrArray *events, gboolean apart)
{
	GPtrArray *some = g_ptr_array_new();

	for (guint i = 0; i < events->len; i++) {
		struct event *event = events->pdata[i];

		if (event->apart == apart)
			g_ptr_array_add(some, event);
	}
	/* Those of one second stay as they are. */
	g_ptr_array_sort(some, compare_times);
	return some;
}

/* Is @apart told before @event?  Of one second, before what came of it. */
static gboolean
is_before(const struct event *apart, const struct event *event)
{
	if (apart->time != event->time)
		return apart->time < event->time;
	return event->kind == EVENT_RESULT || event->kind == EVENT_REMOVED;
}

/* All of them in one order; an array that borrows them. */
static GPtrArray *
merge(const GPtrArray *events)
{
	g_autoptr(GPtrArray) main = sorted(events, FALSE);
	g_autoptr(GPtrArray) apart = sorted(events, TRUE);
	GPtrArray *all = g_ptr_array_new();
	guint next = 0;

	for (guint i = 0; i < main->len; i++) {
		while (next < apart->len &&
		    is_before(apart->pdata[next], main->pdata[i]))
			g_ptr_array_add(all, apart->pdata[next++]);
		g_ptr_array_add(all, main->pdata[i]);
	}
	while (next < apart->len)
		g_ptr_array_add(all, apart->pdata[next++]);
	return all;
}

GPtrArray *
life_divide(GPtrArray *events)
{
	GPtrArray *lives = g_ptr_array_new_with_free_func(life_free);
	g_autoptr(GPtrArray) all = merge(events);
	struct life *life = NULL;

	for (guint i = 0; i < all->len; i++) {
		if (life == NULL || life->removed) {
			life = life_new();
			g_ptr_array_add(lives, life);
		}
		add_event(life, all->pdata[i]);
	}
	g_ptr_array_set_free_func(events, NULL);
	g_ptr_array_unref(events);
	return lives;
}
