/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "smtp/terms.h"

/* What a host does not have that the message needs. */
enum lack {
	LACK_NOTHING,
	LACK_ONE_VERDICT, /* of LMTP, for all recipients */
	LACK_UTF8,
	LACK_SIZE,
};

/* RFC 1870 section 6.1: a client need not send what is sure to be refused. */
static int
refuse_size(const struct offer *offer, const struct wire_job *job,
    struct transaction *transaction)
{
	struct outcome outcome = {0};
	g_autofree char *what = NULL;

	what = g_strdup_printf("message size %" G_GUINT64_FORMAT
			       " exceeds the host's limit of %" G_GUINT64_FORMAT
			       " (SIZE)",
	    message_size(job->message), offer->size_limit);
	outcome_set(&outcome, OUTCOME_BOUNCE, TROUBLE_MESSAGE, STAGE_MAIL,
	    "5.3.4", what);
	transaction_forgive(transaction, &outcome, 552, "5.3.4");
	transaction_settle(transaction, &outcome);
	return 552;
}

/* RFC 6531 section 3.5; RFC 3463, X.6.7, has no such class but 4 and 5. */
static int
refuse_utf8(struct transaction *transaction)
{
	struct outcome outcome = {0};

	outcome_set(&outcome, OUTCOME_UNFIT, TROUBLE_MESSAGE, STAGE_MAIL,
	    "4.6.7", "SMTPUTF8 is needed, but not offered");
	transaction_settle(transaction, &outcome);
	return 553;
}

/*
 * The recipients may differ after the content, and one verdict for all of them
 * would be wrong for some.
 */
static int
refuse_many(struct transaction *transaction)
{
	struct outcome outcome = {0};

	outcome_set(&outcome, OUTCOME_HELD, TROUBLE_NONE, STAGE_MAIL, "4.3.0",
	    "not sent, since LMTP answers for each recipient");
	transaction_settle(transaction, &outcome);
	return 452;
}

static enum lack
find_lack(const struct offer *offer, const struct wire_job *job)
{
	if (job->lmtp && !job->partial && job->recipients->len > 1)
		return LACK_ONE_VERDICT;
	if (job->smtputf8 && !offer->smtputf8)
		return LACK_UTF8;
	if (offer->size_limit > 0 &&
	    message_size(job->message) > offer->size_limit)
		return LACK_SIZE;
	return LACK_NOTHING;
}

int
terms_refuse(const struct offer *offer, const struct wire_job *job,
    struct transaction *transaction)
{
	switch (find_lack(offer, job)) {
	case LACK_ONE_VERDICT:
		return refuse_many(transaction);
	case LACK_UTF8:
		return refuse_utf8(transaction);
	case LACK_SIZE:
		return refuse_size(offer, job, transaction);
	case LACK_NOTHING:
		break;
	}
	return 0;
}

gboolean
terms_lack_notices(const struct offer *offer, const struct wire_job *job)
{
	for (guint i = 0; i < job->recipients->len; i++) {
		const struct mailbox *to =
		    g_ptr_array_index(job->recipients, i);

		if (to->notify_success)
			return !offer->dsn;
	}
	return FALSE;
}

gboolean
terms_allow_volley(const struct offer *offer, const struct wire_job *job)
{
	return !job->inquiry && offer->pipelining &&
	    (job->partial || job->recipients->len == 1);
}

static const char *
parameters(gboolean offered, const char *dsn)
{
	return offered && dsn != NULL ? dsn : "";
}

char *
terms_mail(const struct offer *offer, const struct wire_job *job)
{
	const struct mailbox *from = job->sender;
	gboolean eight = offer->eightbitmime && message_is_8bit(job->message);
	char size[sizeof(" SIZE=18446744073709551615")] = "";

	if (offer->size && message_size(job->message) > 0)
		g_snprintf(size, sizeof(size), " SIZE=%" G_GUINT64_FORMAT,
		    message_size(job->message));
	return g_strconcat("MAIL FROM:<", from->path, ">", size,
	    eight ? " BODY=8BITMIME" : "", parameters(offer->dsn, from->dsn),
	    job->smtputf8 ? " SMTPUTF8" : "", "\r\n", NULL);
}

char *
terms_rcpt(const struct offer *offer, const struct wire_job *job, guint i)
{
	const struct mailbox *to = g_ptr_array_index(job->recipients, i);

	return g_strconcat("RCPT TO:<", to->path, ">",
	    parameters(offer->dsn, to->dsn), "\r\n", NULL);
}
