/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mail transaction: its recipients' outcomes, as they become known.
 */
#ifndef SMTPROUTE_TRANSACTION_H
#define SMTPROUTE_TRANSACTION_H

#include <glib.h>

#include "smtp/outcome.h"

struct transaction {
	struct outcome *outcomes; /* the caller's, one for each recipient */
	gboolean *settled;        /* is the outcome known? */
	guint count;
	const char *next_host_on; /* refusals that are none; see wordlist.h */
};

struct transaction *
transaction_new(struct outcome *outcomes, guint count);

/* Does no recipient have an outcome yet? */
gboolean
transaction_is_open(const struct transaction *transaction);

/* Has every recipient an outcome? */
gboolean
transaction_is_settled(const struct transaction *transaction);

/*
 * A refusal that this host gives for reasons of its own: the message may do
 * better elsewhere.  @dsn "": it has no enhanced code.
 */
void
transaction_forgive(const struct transaction *transaction,
    struct outcome *outcome, int code, const char *dsn);

/* Every recipient without an outcome gets @outcome, which is cleared. */
void
transaction_settle(struct transaction *transaction, struct outcome *outcome);

/* The same by outcome_from_reply(). */
void
transaction_settle_reply(struct transaction *transaction, enum stage stage,
    const struct reply *reply);

/* The same by outcome_from_failure(). */
void
transaction_settle_failure(struct transaction *transaction, enum stage stage,
    const char *what);

/* The same by outcome_set() for trouble on our side, not the host's. */
void
transaction_settle_here(struct transaction *transaction, enum stage stage,
    const char *what);

/* This reply is about the recipient number @i alone. */
void
transaction_answer(struct transaction *transaction, guint i, enum stage stage,
    const struct reply *reply);

/* The same, to RCPT. */
void
transaction_refuse(struct transaction *transaction, guint i,
    const struct reply *reply);

/* The recipient number @i is welcome, see outcome_from_welcome(). */
void
transaction_welcome(struct transaction *transaction, guint i,
    const struct reply *reply);

/*
 * The first outcome that is a refusal for good, by a reply; NULL: there is
 * none, or others were delivered: then 354, which no other command has, has
 * shown that the replies before it were in step.
 */
const struct outcome *
transaction_bounce(const struct transaction *transaction);

/* Forgets all outcomes. */
void
transaction_reopen(struct transaction *transaction);

void
transaction_free(struct transaction *transaction);

typedef struct transaction Transaction;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Transaction, transaction_free)

#endif
