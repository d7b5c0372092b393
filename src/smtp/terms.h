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

/* May the host have the message? */
gboolean
terms_are_met(const struct offer *offer, const struct wire_job *job);

/*
 * If it is sure that it may not, all of @transaction is settled, and a code
 * comes back with which libESMTP gives MAIL up; 0: no.
 */
int
terms_refuse(const struct offer *offer, const struct wire_job *job,
    struct transaction *transaction);

/* Does the host not know the DSN that somebody asks for after success? */
gboolean
terms_lack_notices(const struct offer *offer, const struct wire_job *job);

/*
 * libESMTP's command with the parameters that it does not know, a new string:
 * of MAIL, and of the @i-th recipient's RCPT.
 */
char *
terms_mail(const struct offer *offer, const struct wire_job *job,
    const char *command);

char *
terms_rcpt(const struct offer *offer, const struct wire_job *job, guint i,
    const char *command);

#endif
