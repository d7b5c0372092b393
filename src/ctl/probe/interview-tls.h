/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of an interview that are about TLS and AUTH.
 */
#ifndef SMTPROUTE_CTL_INTERVIEW_TLS_H
#define SMTPROUTE_CTL_INTERVIEW_TLS_H

#include "ctl/probe/stage.h"

/* All return FALSE if the dialogue is over, or would be in a delivery. */

/* TLS from the first byte, if it is to be. */
gboolean
interview_wrap(struct interview *interview);

/* The greeting, which is said; NULL: there is none. */
struct reply *
interview_greeting(struct interview *interview);

/*
 * Has the host's alert ended TLS, before the reply that is missing?  Then that
 * is said.
 */
gboolean
interview_is_rejected(struct interview *interview);

/* STARTTLS, if it is to be; *ret_secured: TLS has begun. */
gboolean
interview_starttls(struct interview *interview, gboolean *ret_secured);

/* AUTH, if it is to be. */
gboolean
interview_auth(struct interview *interview);

#endif
