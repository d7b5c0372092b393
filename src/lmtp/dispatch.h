/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends a parcel on: one delivery for each of its routes.
 */
#ifndef SMTPROUTE_DISPATCH_H
#define SMTPROUTE_DISPATCH_H

#include <glib.h>

#include "agent/station.h"
#include "lmtp/answers.h"
#include "lmtp/parcel.h"
#include "smtp/message.h"

/*
 * Postfix waits lmtp_data_done_timeout, 600 s, for the replies: all is over
 * before that, in microseconds.
 */
#define DISPATCH_SPAN (570 * G_USEC_PER_SEC)

/*
 * Delivers @message to all recipients of @parcel, and answers for each, in
 * their order; sends each answer as soon as it and those before it are known:
 * what is not answered when this process dies comes again.
 */
void
dispatch(struct station *station, const struct parcel *parcel,
    struct message *message, struct answers *answers);

/* Answers with @verdict: 250, 450, 451 or 550, and the pipe face's line. */
void
dispatch_answer(struct answers *answers, const struct verdict *verdict);

#endif
