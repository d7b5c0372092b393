/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The envelope as one: MAIL, every RCPT and DATA in one write, as PIPELINING
 * allows (RFC 2920 section 3.1), so that a message takes two round trips.
 */
#ifndef SMTPROUTE_VOLLEY_H
#define SMTPROUTE_VOLLEY_H

#include <glib.h>

#include "smtp/dialogue.h"

/*
 * @commands: MAIL, then an RCPT for each recipient of the transaction, with
 * their CRLF.  Recipients that are refused get their outcomes.  DATA goes with
 * them before anybody knows whether they are, so the content may be for some
 * of them only.
 *
 * TRUE: the host waits for the content, and somebody is to have it.
 * *ret_accepted: it has accepted MAIL.
 */
gboolean
volley_send(struct dialogue *dialogue, const GPtrArray *commands,
    gboolean *ret_accepted);

#endif
