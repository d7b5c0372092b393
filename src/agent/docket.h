/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The docket of a delivery: the recipients that have no verdict yet, and what
 * was tried for them.
 */
#ifndef SMTPROUTE_DOCKET_H
#define SMTPROUTE_DOCKET_H

#include <glib.h>

#include "agent/account.h"
#include "agent/verdict.h"
#include "conf/choosing.h"
#include "smtp/outcome.h"

struct docket {
	gboolean each; /* a verdict for each; FALSE: one for all */
	enum when_unsure when_unsure; /* the caller's to set */
	struct account *accounts;     /* as many as verdicts */
	struct verdict *verdicts;     /* the caller's */
	guint count;                  /* of recipients */
	GArray *open;                 /* of guint, those without a verdict */
};

void
docket_init(struct docket *docket, guint count, gboolean each,
    struct verdict *verdicts);

/*
 * Gives verdicts for the @outcomes at @peer, of the recipients whose numbers
 * are in @rids (of guint); one verdict for all judges all of them together.
 */
void
docket_judge(struct docket *docket, const char *peer, const GArray *rids,
    const struct outcome *outcomes);

/* Has every recipient its verdict? */
gboolean
docket_is_closed(const struct docket *docket);

/* Did some host have something against the message, for all that are open? */
gboolean
docket_is_own(const struct docket *docket);

/* Notes what happened at @peer, for all that are open. */
void
docket_note(struct docket *docket, const char *peer,
    const struct outcome *outcome);

/* The same verdict for all that are open. */
void
docket_close(struct docket *docket, enum verdict_kind kind, const char *dsn,
    const char *why);

/*
 * Nothing more is tried, for want of time if @late, or since @spent has been
 * used up; NULL: it has not.
 */
void
docket_defer(struct docket *docket, const GArray *contenders, gboolean late,
    const char *spent);

/* Frees what it holds. */
void
docket_clear(struct docket *docket);

#endif
