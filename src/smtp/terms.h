/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terms on which a host takes a message: what it offers, beside what the
 * message needs and asks for.
 */
#ifndef SMTPROUTE_TERMS_H
#define SMTPROUTE_TERMS_H

#include <glib.h>

#include "smtp/offer.h"
#include "smtp/transaction.h"
#include "smtp/wire.h"

/*
 * If it is sure that the host may not have the message, all of @transaction is
 * settled, and a code comes back with which libESMTP gives MAIL up; 0: no.
 */
int
terms_refuse(const struct offer *offer, const struct wire_job *job,
    struct transaction *transaction);

/* Does the host not know the DSN that somebody asks for after success? */
gboolean
terms_lack_notices(const struct offer *offer, const struct wire_job *job);

/*
 * May the envelope leave as one (volley.h)?  DATA with the others: only where
 * some of the recipients may have the content without the others, or there are
 * no others.
 */
gboolean
terms_allow_volley(const struct offer *offer, const struct wire_job *job);

/* MAIL, and the @i-th recipient's RCPT: a new string with its CRLF. */
char *
terms_mail(const struct offer *offer, const struct wire_job *job);

char *
terms_rcpt(const struct offer *offer, const struct wire_job *job, guint i);

#endif
