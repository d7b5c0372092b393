/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "conf/wordlist.h"
#include "smtp/transaction.h"

struct transaction *
transaction_new(struct outcome *outcomes, guint count)
{
	struct transaction *transaction = g_new0(struct transaction, 1);

	transaction->outcomes = outcomes;
	transaction->settled = g_new0(gboolean, count);
	transaction->count = count;
	return transaction;
}

void
transaction_free(struct transaction *transaction)
{
	g_free(transaction->settled);
	g_free(transaction);
}

gboolean
transaction_is_open(const struct transaction *transaction)
{
	for (guint i = 0; i < transaction->count; i++)
		if (transaction->settled[i])
			return FALSE;
	return TRUE;
}

gboolean
transaction_is_settled(const struct transaction *transaction)
{
	for (guint i = 0; i < transaction->count; i++)
		if (!transaction->settled[i])
			return FALSE;
	return TRUE;
}

void
transaction_settle(struct transaction *transaction, struct outcome *outcome)
{
	for (guint i = 0; i < transaction->count; i++) {
		if (transaction->settled[i])
			continue;
		outcome_copy(&transaction->outcomes[i], outcome);
		transaction->settled[i] = TRUE;
	}
	outcome_clear(outcome);
}

void
transaction_forgive(const struct transaction *transaction,
    struct outcome *outcome, int code, const char *dsn)
{
	g_autofree char *both = NULL;

	if (outcome->kind != OUTCOME_BOUNCE || dsn[0] == '\0')
		return;
	both = g_strdup_printf("%d %s", code, dsn);
	if (wordlist_has(transaction->next_host_on, dsn) ||
	    wordlist_has(transaction->next_host_on, both))
		outcome_forgive(outcome);
}

void
transaction_settle_reply(struct transaction *transaction, enum stage stage,
    const struct reply *reply)
{
	struct outcome outcome = {0};

	outcome_from_reply(&outcome, stage, reply, transaction->count);
	transaction_forgive(transaction, &outcome, reply->code, reply->dsn);
	transaction_settle(transaction, &outcome);
}

void
transaction_settle_failure(struct transaction *transaction, enum stage stage,
    const char *what)
{
	struct outcome outcome = {0};

	outcome_from_failure(&outcome, stage, what);
	transaction_settle(transaction, &outcome);
}

void
transaction_settle_here(struct transaction *transaction, enum stage stage,
    const char *what)
{
	struct outcome outcome = {0};

	outcome_set(&outcome, OUTCOME_NEXT, TROUBLE_MESSAGE, stage, "4.3.0",
	    what);
	transaction_settle(transaction, &outcome);
}

void
transaction_answer(struct transaction *transaction, guint i, enum stage stage,
    const struct reply *reply)
{
	outcome_from_reply(&transaction->outcomes[i], stage, reply,
	    transaction->count);
	transaction_forgive(transaction, &transaction->outcomes[i], reply->code,
	    reply->dsn);
	transaction->settled[i] = TRUE;
}

void
transaction_refuse(struct transaction *transaction, guint i,
    const struct reply *reply)
{
	transaction_answer(transaction, i, STAGE_RCPT, reply);
}

void
transaction_welcome(struct transaction *transaction, guint i,
    const struct reply *reply)
{
	outcome_from_welcome(&transaction->outcomes[i], reply);
	transaction->settled[i] = TRUE;
}

const struct outcome *
transaction_bounce(const struct transaction *transaction)
{
	const struct outcome *bounce = NULL;

	for (guint i = 0; i < transaction->count; i++) {
		const struct outcome *outcome = &transaction->outcomes[i];

		if (!transaction->settled[i])
			continue;
		if (outcome->kind == OUTCOME_DELIVERED)
			return NULL;
		if (bounce == NULL && outcome->code != 0 &&
		    outcome->kind == OUTCOME_BOUNCE)
			bounce = outcome;
	}
	return bounce;
}

void
transaction_reopen(struct transaction *transaction)
{
	memset(transaction->settled, 0,
	    transaction->count * sizeof(*transaction->settled));
}
