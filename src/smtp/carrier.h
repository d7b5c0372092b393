/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Carries libESMTP's commands (session.h) to a host, each in its own way, and
 * the host's answers back, until the job (wire.h) is done or the session over.
 * An envelope that leaves as one (volley.h) it makes up itself.  Outcomes go to
 * the dialogue's transaction.
 */
#ifndef SMTPROUTE_CARRIER_H
#define SMTPROUTE_CARRIER_H

#include <glib.h>

#include "smtp/dialogue.h"
#include "smtp/login.h"
#include "smtp/opening.h"
#include "smtp/session.h"
#include "smtp/wire.h"

/* All of it is the wire's, which fills it in and clears it. */
struct carrier {
	const struct wire_job *job; /* the message under way */
	struct dialogue dialogue;
	struct session *session; /* libESMTP's; NULL: none yet */
	struct opening opening;
	struct login login;
	guint rcpt_sent;
	guint rcpt_answered;
	gboolean known;    /* what the host offers, from the message before */
	gboolean answered; /* libESMTP has answers to all that it will say, or
			    * is not asked */
	gboolean idle;     /* the host may have another one */
};

/*
 * Begins libESMTP's session, and carries the job's message over it.  After
 * it, and after carrier_go_on(), all outcomes are set, unless the opening's
 * tls_failure or the login's failure is.
 */
void
carrier_begin(struct carrier *carrier);

/*
 * The same with another message, after one that has left it idle.  libESMTP is
 * not asked where the envelope leaves as one.
 */
void
carrier_go_on(struct carrier *carrier);

#endif
