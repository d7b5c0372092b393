/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message's content on its way to the host, and what the host says of it.
 *
 * - The first complete reply after the final dot decides; what comes behind
 *   it matters only for a refusal, see below.
 * - A host that refuses before the final dot does not get it, and so has not
 *   accepted anything, whatever the message's size.
 * - Of several refusals that are there the first counts, but one for now (4xx)
 *   goes before those for good (5xx).  If the host has accepted the message
 *   as well, nobody knows, and it counts as if the connection had been lost.
 * - Where the connection is lost, or the host silent, it may have accepted the
 *   message only if it has the final dot (peer_take_back()).
 */
#ifndef SMTPROUTE_CONTENT_H
#define SMTPROUTE_CONTENT_H

#include <glib.h>

#include "smtp/dialogue.h"
#include "smtp/message.h"

/*
 * Sends the content, after a 354, and settles the transaction.  The code of
 * the reply that has decided; after a success the caller may look whether the
 * host has spoken once more before it uses the connection again.  0: the
 * session is over.
 */
int
content_carry(struct dialogue *dialogue, struct message *message);

#endif
