/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inquiries: what a host says of a recipient at RCPT, for who verifies
 * addresses and sends nothing.
 */
#ifndef SMTPROUTE_INQUIRY_H
#define SMTPROUTE_INQUIRY_H

#include <glib.h>

#include "address/mailbox.h"
#include "agent/station.h"
#include "agent/verdict.h"
#include "route/route.h"

/* Are there hosts of the route that are to be asked (option verify)? */
gboolean
inquiry_is_wanted(const struct route *route);

/*
 * Asks these hosts, one after the other until one has an answer.  *verdict is
 * set in every case.
 */
void
inquiry_make(struct station *station, const struct route *route,
    struct mailbox *sender, struct mailbox *recipient, gboolean smtputf8,
    struct verdict *verdict);

#endif
