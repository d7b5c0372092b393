/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The outlook of a recipient's mail, before there is any: what is sure to be
 * deferred or bounced need not be transferred first.
 */
#ifndef SMTPROUTE_OUTLOOK_H
#define SMTPROUTE_OUTLOOK_H

#include <glib.h>

#include "agent/station.h"
#include "agent/verdict.h"
#include "route/route.h"

/*
 * A delivery to @domain along @route that began now would be deferred at once,
 * since none of its hosts can be had, or bounced, since DNS knows nobody to
 * have it: FALSE, and *verdict is the one that it would have had.  Whoever
 * doubts lets it begin.  No host is contacted or chosen; so of those that are
 * due for a probe one delivery after all will do it.
 *
 * What is deferred on account of hosts is remembered by the queue id of the
 * log, as when a delivery is.
 *
 * The station has begun with the sender (station_begin()).  *dns_span: how long
 * DNS may be asked for, in microseconds; what was used is taken off.
 */
gboolean
outlook_is_good(struct station *station, const struct route *route,
    const char *domain, gint64 *dns_span, struct verdict *verdict);

/*
 * A message went there just now: for a moment the outlook is good without a
 * look at the state, which costs more than all else at RCPT.
 */
void
outlook_confirm(struct station *station, const struct route *route,
    const char *domain);

#endif
