/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What came of one attempt, at one address, for one recipient: the table
 * "what each reply means" of smtproute(8), and nothing else decides it.
 */
#ifndef SMTPROUTE_OUTCOME_H
#define SMTPROUTE_OUTCOME_H

#include <glib.h>

#include "smtp/reply.h"

/* Where in the dialogue it happened. */
enum stage {
	STAGE_RESOLVE,
	STAGE_CONNECT,
	STAGE_GREETING,
	STAGE_EHLO,
	STAGE_HELO,
	STAGE_STARTTLS, /* the command */
	STAGE_TLS,      /* the handshake */
	STAGE_AUTH,
	STAGE_MAIL,
	STAGE_RCPT,
	STAGE_DATA,
	STAGE_CONTENT,
	STAGE_FINAL, /* after the final dot */
	STAGE_COUNT,
};

enum outcome_kind {
	OUTCOME_NEXT,   /* zero: another host may do better */
	OUTCOME_UNFIT,  /* the host lacks what the message needs: for good if
			 * all of them do */
	OUTCOME_UNSURE, /* it may have been delivered */
	OUTCOME_BOUNCE, /* refused for good */
	OUTCOME_HELD,   /* accepted, but not sent: another recipient of the
			 * same transaction was not */
	OUTCOME_DELIVERED,
};

/* Whose trouble it is: only a host's makes it go down. */
enum trouble {
	TROUBLE_NONE,
	TROUBLE_HOST,
	TROUBLE_SUSPECT, /* 421 after EHLO: the host's, or this sender's */
	TROUBLE_MESSAGE,
	TROUBLE_RECIPIENT,
};

struct outcome {
	enum outcome_kind kind;
	enum trouble trouble;
	enum stage stage;
	int code;           /* of the reply, 0 if there was none */
	char dsn[DSN_SIZE]; /* of the class that fits the kind */
	char *reply;        /* the reply's text; NULL if there was none */
	char *text;         /* what happened, in words, for verdict and log */
};

/* Does it come before any transaction, and concern every message? */
gboolean
stage_is_opening(enum stage stage);

/* How a stage is called in verdicts and the log. */
const char *
stage_name(enum stage stage);

/*
 * Is it the reply that lets the dialogue go on after this stage?  Only codes
 * that fit the command do: another one with a 2 or 3 in front belongs to
 * another command, and the dialogue is out of step.
 */
gboolean
outcome_is_success(enum stage stage, const struct reply *reply);

/* Does a refusal of EHLO say that the host knows HELO only? */
gboolean
outcome_asks_for_helo(const struct reply *reply);

/*
 * A reply that ends the transaction for the recipients concerned: a refusal,
 * success at STAGE_FINAL, or one that does not fit the stage.  @recipients:
 * how many the transaction has.
 */
void
outcome_from_reply(struct outcome *outcome, enum stage stage,
    const struct reply *reply, guint recipients);

/* RCPT was accepted, and nothing but that was wanted: OUTCOME_DELIVERED. */
void
outcome_from_welcome(struct outcome *outcome, const struct reply *reply);

/*
 * No reply, or nothing that is one: connection lost, time-out, nonsense.
 * After the final dot this is OUTCOME_UNSURE.
 */
void
outcome_from_failure(struct outcome *outcome, enum stage stage,
    const char *what);

/*
 * Anything else that has an enhanced code of its own; @what is the whole
 * text.
 */
void
outcome_set(struct outcome *outcome, enum outcome_kind kind,
    enum trouble trouble, enum stage stage, const char *dsn, const char *what);

/*
 * Was the recipient one too many for the transaction, though not for the host
 * (RFC 5321 section 4.5.3.1.10)?
 */
gboolean
outcome_is_too_many(const struct outcome *outcome);

/* Puts @from, which is zero afterwards, in the place of *outcome. */
void
outcome_move(struct outcome *outcome, struct outcome *from);

/* Of OUTCOME_BOUNCE: it is not for good, another host may do better. */
void
outcome_forgive(struct outcome *outcome);

/* Makes *outcome, which holds something or is zero, equal to @from. */
void
outcome_copy(struct outcome *outcome, const struct outcome *from);

/* Frees what @outcome holds, not @outcome. */
void
outcome_clear(struct outcome *outcome);

#endif
