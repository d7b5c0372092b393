/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The routes' deliveries come one after the other.  Threads would have to
 * share the state of hosts, which is one open file with one ticket a process
 * (hosts/statefile.c); and a host that makes others wait does so once, for it
 * is down then.  So that it does not take all the time there is, no route's
 * delivery begins another host after its part of it.
 */

#include <config.h>

#include "agent/delivery.h"
#include "agent/outlook.h"
#include "lmtp/dispatch.h"
#include "util/deadline.h"
#include "util/guard.h"
#include "util/maillog.h"

/* The guard comes after every deadline of the delivery, in seconds. */
#define GUARD_MARGIN 20

/* The recipients of one route. */
struct group {
	const struct route *route;
	GArray *rids; /* of guint */
};

static void
group_free(struct group *group)
{
	g_array_unref(group->rids);
	g_free(group);
}

static struct group *
find_group(GPtrArray *groups, const struct route *route)
{
	struct group *group;

	for (guint i = 0; i < groups->len; i++) {
		group = g_ptr_array_index(groups, i);
		if (group->route == route)
			return group;
	}
	group = g_new0(struct group, 1);
	group->route = route;
	group->rids = g_array_new(FALSE, FALSE, sizeof(guint));
	g_ptr_array_add(groups, group);
	return group;
}

/* In the order of their first recipients. */
static GPtrArray *
sort(const struct parcel *parcel)
{
	GPtrArray *groups =
	    g_ptr_array_new_with_free_func((GDestroyNotify)group_free);

	for (guint i = 0; i < parcel->recipients->len; i++) {
		struct group *group =
		    find_group(groups, g_ptr_array_index(parcel->routes, i));

		g_array_append_val(group->rids, i);
	}
	return groups;
}

static int
code_for(const struct verdict *verdict)
{
	switch (verdict->kind) {
	case VERDICT_DELIVERED:
		return 250;
	case VERDICT_BOUNCE:
		return 550;
	case VERDICT_DEFER:
	default:
		/* 450: not available; 451: an error (RFC 5321 4.2.2). */
		return g_str_equal(verdict->dsn, "4.4.1") ||
			g_str_equal(verdict->dsn, "4.3.2")
		    ? 450
		    : 451;
	}
}

void
dispatch_answer(struct answers *answers, const struct verdict *verdict)
{
	g_autofree char *line = verdict_line(verdict);

	answers_add(answers, code_for(verdict), line);
}

/* Answers for those that are next and have a verdict. */
static guint
answer_known(struct answers *answers, const struct verdict *verdicts,
    guint answered, guint count)
{
	while (answered < count && verdicts[answered].text != NULL)
		dispatch_answer(answers, &verdicts[answered++]);
	answers_flush(answers);
	return answered;
}

static void
confirm(struct station *station, const struct group *group,
    const GPtrArray *recipients)
{
	const struct mailbox *first = g_ptr_array_index(recipients, 0);

	outlook_confirm(station, group->route, first->domain);
}

static void
deliver_group(struct station *station, const struct parcel *parcel,
    const struct group *group, struct message *message,
    const struct delivery_span *span, struct wakeup *wakeup,
    struct verdict *verdicts)
{
	struct envelope envelope = {parcel->sender, g_ptr_array_new(),
	    parcel->smtputf8};
	g_autofree struct verdict *own =
	    g_new0(struct verdict, group->rids->len);
	gboolean any = FALSE;

	for (guint i = 0; i < group->rids->len; i++)
		g_ptr_array_add(envelope.recipients,
		    g_ptr_array_index(parcel->recipients,
			g_array_index(group->rids, guint, i)));
	deliver_each(station, &envelope, group->route, group->rids, message,
	    span, wakeup, own);
	for (guint i = 0; i < group->rids->len; i++) {
		verdicts[g_array_index(group->rids, guint, i)] = own[i];
		any |= own[i].kind == VERDICT_DELIVERED;
	}
	if (any)
		confirm(station, group, envelope.recipients);
	g_ptr_array_unref(envelope.recipients);
}

void
dispatch(struct station *station, const struct parcel *parcel,
    struct message *message, struct answers *answers)
{
	const struct settings *settings = station->settings;
	gint64 span = MIN(settings->time_limit, DISPATCH_SPAN);
	gint64 deadline = deadline_in(span);
	guint count = parcel->recipients->len;
	g_autofree struct verdict *verdicts = g_new0(struct verdict, count);
	g_autoptr(GPtrArray) groups = sort(parcel);
	struct wakeup wakeup = wakeup_of(settings, maillog_queue_id());
	guint answered = 0;

	guard_time((unsigned)(span / G_USEC_PER_SEC) + GUARD_MARGIN);
	for (guint i = 0; i < groups->len; i++) {
		gint64 part = deadline_left(deadline) / (groups->len - i);
		struct delivery_span times =
		    delivery_span(deadline_in(part), deadline);

		deliver_group(station, parcel, g_ptr_array_index(groups, i),
		    message, &times, &wakeup, verdicts);
		answered = answer_known(answers, verdicts, answered, count);
	}
	guard_time(0);
	wakeup_start(&wakeup, settings);
	wakeup_clear(&wakeup);
	g_assert(answered == count);
	for (guint i = 0; i < count; i++)
		verdict_clear(&verdicts[i]);
}
