/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "agent/docket.h"

static guint
count_verdicts(const struct docket *docket)
{
	return docket->each ? docket->count : 1;
}

void
docket_init(struct docket *docket, guint count, gboolean each,
    struct verdict *verdicts)
{
	docket->each = each;
	docket->count = count;
	docket->verdicts = verdicts;
	docket->accounts = g_new0(struct account, count_verdicts(docket));
	for (guint i = 0; i < count_verdicts(docket); i++)
		account_init(&docket->accounts[i]);
	docket->open = g_array_sized_new(FALSE, FALSE, sizeof(guint), count);
	for (guint i = 0; i < count; i++)
		g_array_append_val(docket->open, i);
}

void
docket_clear(struct docket *docket)
{
	for (guint i = 0; i < count_verdicts(docket); i++)
		account_clear(&docket->accounts[i]);
	g_free(docket->accounts);
	g_array_unref(docket->open);
}

gboolean
docket_is_closed(const struct docket *docket)
{
	return docket->open->len == 0;
}

static guint
count_kind(const struct outcome *outcomes, guint count, enum outcome_kind kind)
{
	guint n = 0;

	for (guint i = 0; i < count; i++)
		n += outcomes[i].kind == kind;
	return n;
}

/* The first outcome that is not a mere consequence of another one's. */
static const struct outcome *
first_cause(const struct outcome *outcomes, guint count)
{
	for (guint i = 0; i < count; i++)
		if (outcomes[i].kind != OUTCOME_HELD)
			return &outcomes[i];
	return &outcomes[0];
}

/* TRUE: *verdict is set. */
static gboolean
decide(enum when_unsure when_unsure, const char *peer,
    const struct outcome *outcome, const struct account *account,
    struct verdict *verdict)
{
	if (outcome->kind == OUTCOME_DELIVERED) {
		verdict_set(verdict, VERDICT_DELIVERED, outcome->dsn, "%s: %s",
		    peer, outcome->text);
	} else if (outcome->kind == OUTCOME_BOUNCE) {
		verdict_set(verdict, VERDICT_BOUNCE, outcome->dsn, "%s: %s",
		    peer, outcome->text);
	} else if (outcome->kind == OUTCOME_UNSURE &&
	    when_unsure != WHEN_UNSURE_NEXT) {
		verdict_set(verdict, VERDICT_DEFER, outcome->dsn,
		    "%s; no other host was tried, since this one may have "
		    "accepted it",
		    account->tried->str);
	} else {
		return FALSE;
	}
	return TRUE;
}

/* The verdict that all share.  TRUE: it is set. */
static gboolean
judge_all(struct docket *docket, const char *peer,
    const struct outcome *outcomes)
{
	struct account *account = &docket->accounts[0];
	const struct outcome *cause = first_cause(outcomes, docket->count);
	guint bounced = count_kind(outcomes, docket->count, OUTCOME_BOUNCE);

	account_note(account, peer, cause);
	if (bounced > 0 && bounced < docket->count) {
		verdict_set_mixed(docket->verdicts, account->tried->str);
		return TRUE;
	}
	if (count_kind(outcomes, docket->count, OUTCOME_HELD) > 0)
		account->mixed = TRUE;
	return decide(docket->when_unsure, peer, cause, account,
	    docket->verdicts);
}

static void
remove_open(struct docket *docket, guint rid)
{
	for (guint i = 0; i < docket->open->len; i++) {
		if (g_array_index(docket->open, guint, i) == rid) {
			g_array_remove_index(docket->open, i);
			return;
		}
	}
}

void
docket_judge(struct docket *docket, const char *peer, const GArray *rids,
    const struct outcome *outcomes)
{
	if (!docket->each) {
		if (judge_all(docket, peer, outcomes))
			g_array_set_size(docket->open, 0);
		return;
	}
	for (guint i = 0; i < rids->len; i++) {
		guint rid = g_array_index(rids, guint, i);
		struct account *account = &docket->accounts[rid];

		account_note(account, peer, &outcomes[i]);
		if (decide(docket->when_unsure, peer, &outcomes[i], account,
			&docket->verdicts[rid]))
			remove_open(docket, rid);
	}
}

gboolean
docket_is_own(const struct docket *docket)
{
	if (!docket->each)
		return docket->accounts[0].own;
	for (guint i = 0; i < docket->open->len; i++) {
		guint rid = g_array_index(docket->open, guint, i);

		if (!docket->accounts[rid].own)
			return FALSE;
	}
	return TRUE;
}

void
docket_note(struct docket *docket, const char *peer,
    const struct outcome *outcome)
{
	if (!docket->each) {
		account_note(&docket->accounts[0], peer, outcome);
		return;
	}
	for (guint i = 0; i < docket->open->len; i++)
		account_note(&docket->accounts[g_array_index(docket->open,
				 guint, i)],
		    peer, outcome);
}

void
docket_close(struct docket *docket, enum verdict_kind kind, const char *dsn,
    const char *why)
{
	guint count = docket->each ? docket->open->len : 1;

	for (guint i = 0; i < count; i++) {
		guint n =
		    docket->each ? g_array_index(docket->open, guint, i) : 0;

		verdict_set(&docket->verdicts[n], kind, dsn, "%s", why);
	}
	g_array_set_size(docket->open, 0);
}

void
docket_defer(struct docket *docket, const GArray *contenders, gboolean late,
    const char *spent)
{
	guint count = docket->each ? docket->open->len : 1;

	for (guint i = 0; i < count; i++) {
		guint n =
		    docket->each ? g_array_index(docket->open, guint, i) : 0;

		docket->accounts[n].late = late;
		docket->accounts[n].spent = spent;
		account_defer(&docket->accounts[n], contenders,
		    &docket->verdicts[n]);
	}
	g_array_set_size(docket->open, 0);
}
