/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An account of a delivery for those who share a verdict: what its attempts
 * have come to, and what is to be said if none of them has decided.
 */
#ifndef SMTPROUTE_ACCOUNT_H
#define SMTPROUTE_ACCOUNT_H

#include <glib.h>

#include "agent/verdict.h"
#include "smtp/outcome.h"

struct account {
	GString *tried;     /* "peer: what happened; ..." */
	char dsn[DSN_SIZE]; /* of the last reply, else of the last failure */
	gboolean replied;
	gboolean mixed;    /* recipients were answered differently */
	gboolean late;     /* ended for want of time */
	const char *spent; /* or since that much is enough, see allowance.h */
	gboolean own;      /* some host had something against the message */
	guint noted;       /* attempts and lookups */
	guint unfit;       /* of them, hosts that lack what it needs */
};

void
account_init(struct account *account);

/* Notes what happened at @peer. */
void
account_note(struct account *account, const char *peer,
    const struct outcome *outcome);

/* No host has decided; @contenders: the route's, of struct contender. */
void
account_defer(const struct account *account, const GArray *contenders,
    struct verdict *verdict);

/* Frees what it holds. */
void
account_clear(struct account *account);

#endif
