/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "agent/delivery.h"
#include "lmtp/inquiry.h"
#include "util/deadline.h"
#include "util/guard.h"

/* lmtp(8) waits for 300 s (lmtp_rcpt_timeout), in seconds. */
#define SPAN 120

/* The guard comes after every deadline of the delivery, in seconds. */
#define GUARD_MARGIN 20

gboolean
inquiry_is_wanted(const struct route *route)
{
	for (guint i = 0; i < route->destinations->len; i++) {
		const struct destination *destination =
		    g_ptr_array_index(route->destinations, i);

		if (destination->verify)
			return TRUE;
	}
	return FALSE;
}

/* Those of the hosts that are to be asked; they belong to @route. */
static GPtrArray *
list_asked(const struct route *route)
{
	GPtrArray *asked = g_ptr_array_new();

	for (guint i = 0; i < route->destinations->len; i++) {
		struct destination *destination =
		    g_ptr_array_index(route->destinations, i);

		if (destination->verify)
			g_ptr_array_add(asked, destination);
	}
	return asked;
}

static void
ask(struct station *station, const struct envelope *envelope,
    const struct route *route, struct verdict *verdict)
{
	const struct settings *settings = station->settings;
	gint64 deadline = deadline_in(
	    MIN(settings->time_limit, SPAN * (gint64)G_USEC_PER_SEC));
	const struct delivery_span span = delivery_span(deadline, deadline);
	g_autoptr(Message) message = message_new(settings->spool_directory);
	/* What only asks is not in Postfix's queue, and needs no wake-up. */
	struct wakeup wakeup = wakeup_of(settings, NULL);
	g_autoptr(GError) error = NULL;

	if (!message_end(message, &error)) {
		verdict_set(verdict, VERDICT_DEFER, "4.3.1", "%s",
		    error->message);
		return;
	}
	deliver_inquiry(station, envelope, route, message, &span, &wakeup,
	    verdict);
	wakeup_start(&wakeup, settings);
	wakeup_clear(&wakeup);
}

void
inquiry_make(struct station *station, const struct route *route,
    struct mailbox *sender, struct mailbox *recipient, gboolean smtputf8,
    struct verdict *verdict)
{
	g_autoptr(GPtrArray) asked = list_asked(route);
	g_autoptr(GPtrArray) recipients = g_ptr_array_new();
	struct envelope envelope = {sender, recipients, smtputf8};
	struct route part = *route;

	part.destinations = asked;
	g_ptr_array_add(recipients, recipient);
	guard_time(SPAN + GUARD_MARGIN);
	ask(station, &envelope, &part, verdict);
	guard_time(0);
}
