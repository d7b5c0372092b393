/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an attempt needs before it connects, so that its connection is as safe
 * as the settings want it: TLS policy, TLSA records, credentials.
 */
#ifndef SMTPROUTE_SECURITY_H
#define SMTPROUTE_SECURITY_H

#include <glib.h>

#include "agent/plan.h"
#include "conf/credentials.h"
#include "smtp/outcome.h"
#include "tls/tlspolicy.h"

struct security {
	struct tls_policy tls;
	struct tlsa_set *tlsa;           /* NULL: not asked for */
	struct credentials *credentials; /* NULL: none */
};

/*
 * The TLS alone.  The names are those of the route and of the mail exchanger
 * that it leads to, unless tls-name says another; the TLSA records are not
 * filled in.  All strings belong to the candidate's plan and settings.
 */
void
security_set_policy(struct tls_policy *policy,
    const struct candidate *candidate);

/*
 * Asks DNS and reads the files that it takes, until @deadline.  FALSE: the
 * host must not be contacted, and *outcome says why.
 */
gboolean
security_prepare(struct security *security, const struct settings *settings,
    const struct candidate *candidate, struct resolver *resolver,
    gint64 deadline, struct outcome *outcome);

/* Frees what it holds; the secrets are wiped. */
void
security_clear(struct security *security);

#endif
