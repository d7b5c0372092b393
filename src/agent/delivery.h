/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A delivery: one message to the recipients of one call, along one route.
 */
#ifndef SMTPROUTE_DELIVERY_H
#define SMTPROUTE_DELIVERY_H

#include <glib.h>

#include "address/envelope.h"
#include "agent/station.h"
#include "agent/verdict.h"
#include "agent/wakeup.h"
#include "conf/settings.h"
#include "route/route.h"
#include "smtp/message.h"

/*
 * Tries the hosts of @route until one has taken the message for all
 * recipients or has refused it, or @deadline is near; logs every attempt.
 * *verdict is set in every case, and wakeup_start() knows what to do.
 */
void
deliver(const struct settings *settings, const struct envelope *envelope,
    const struct route *route, struct message *message, gint64 deadline,
    struct wakeup *wakeup, struct verdict *verdict);

/* Until when, as deadlines. */
struct delivery_span {
	gint64 begin_by; /* no host is begun later */
	gint64 deadline; /* nor is one waited for */
};

/*
 * No host is begun in the last tenth of the time: it would hardly come to an
 * answer, and a delivery cut off after the final dot is a duplicate.
 */
struct delivery_span
delivery_span(gint64 begin_by, gint64 deadline);

/*
 * The same with a verdict for each recipient, and one copy for those that a
 * host accepts: who is deferred goes on to the next host, who is refused or
 * delivered is done.  All of @verdicts are set in every case.
 *
 * @rids: of guint, the recipients' numbers for the log.
 */
void
deliver_each(struct station *station, const struct envelope *envelope,
    const struct route *route, const GArray *rids, struct message *message,
    const struct delivery_span *span, struct wakeup *wakeup,
    struct verdict *verdicts);

/*
 * Asks hosts of @route, as if a message were to be delivered, but no further
 * than to RCPT.  @message is empty, @envelope has one recipient, and *verdict
 * says "delivered" for what a host would take.
 */
void
deliver_inquiry(struct station *station, const struct envelope *envelope,
    const struct route *route, struct message *message,
    const struct delivery_span *span, struct wakeup *wakeup,
    struct verdict *verdict);

#endif
