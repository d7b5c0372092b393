/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The opening of a session, before libESMTP knows of it: TLS.
 */
#ifndef SMTPROUTE_OPENING_H
#define SMTPROUTE_OPENING_H

#include <glib.h>

#include "smtp/dialogue.h"
#include "smtp/offer.h"
#include "tls/tlspolicy.h"

struct opening {
	gboolean lmtp; /* LHLO in place of EHLO (RFC 2033 section 4.1) */
	const char *ehlo_ignore; /* see offer_parse(); the caller's */
	struct reply *ehlo; /* for libESMTP's EHLO, which the host has answered
			     * already; NULL: it has to be asked */
	struct offer offer; /* what the last reply to EHLO offers */
	gboolean rejected;  /* TLS had begun, and the host has ended it */
	char *refusal;      /* NULL, or how STARTTLS was refused that is
			     * offered; the session goes on in clear text */
	char *tls_failure;  /* NULL, or why there is no TLS though the host
			     * offers it; it may be done without on a new
			     * connection, and no recipient has an outcome */
	gboolean late;      /* for want of an answer */
};

/* TLS, now.  FALSE: the session is over. */
gboolean
opening_shake_hands(struct opening *opening, struct dialogue *dialogue,
    const struct tls_policy *policy);

/*
 * TLS from the first byte (RFC 8314 section 3), where the policy says so.
 * FALSE: the session is over.
 */
gboolean
opening_wrap(struct opening *opening, struct dialogue *dialogue,
    const struct tls_policy *policy);

/*
 * What the host answers is lost, the first reply within TLS.  If its alert has
 * done that, this is how TLS came to nothing, whatever has been made of it
 * before.
 */
void
opening_judge_loss(struct opening *opening, struct dialogue *dialogue,
    const struct tls_policy *policy);

/* The greeting; NULL: the session is over. */
struct reply *
opening_greeting(struct opening *opening, struct dialogue *dialogue,
    const struct tls_policy *policy);

/* Asks EHLO: ehlo and offer are its reply's.  FALSE: the session is over. */
gboolean
opening_ehlo(struct opening *opening, struct dialogue *dialogue,
    const char *command);

/*
 * After the greeting: EHLO and STARTTLS (RFC 3207), where the policy says so.
 * FALSE: the session is over.
 * With TLS the host has heard EHLO again.
 */
gboolean
opening_starttls(struct opening *opening, struct dialogue *dialogue,
    const struct tls_policy *policy, const char *helo_name);

/* Frees what @opening holds. */
void
opening_clear(struct opening *opening);

#endif
