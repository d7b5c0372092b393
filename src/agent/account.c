/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "agent/account.h"
#include "agent/passedover.h"
#include "hosts/contender.h"

/*
 * Of the hosts' names and texts, so that the line has room for what is said
 * after them (VERDICT_LINE_MAX).
 */
#define TRIED_MAX 3000

void
account_init(struct account *account)
{
	*account = (struct account){.tried = g_string_new(NULL)};
}

void
account_clear(struct account *account)
{
	if (account->tried != NULL)
		g_string_free(account->tried, TRUE);
	*account = (struct account){0};
}

static void
append_tried(GString *tried, const char *peer, const char *text)
{
	if (tried->len > 0)
		g_string_append(tried, "; ");
	g_string_append(tried, peer);
	g_string_append(tried, ": ");
	g_string_append(tried, text);
}

void
account_note(struct account *account, const char *peer,
    const struct outcome *outcome)
{
	if (account->tried->len < TRIED_MAX)
		append_tried(account->tried, peer, outcome->text);
	else if (!g_str_has_suffix(account->tried->str, "; ..."))
		g_string_append(account->tried, "; ...");
	account->noted++;
	account->unfit += outcome->kind == OUTCOME_UNFIT;
	if (outcome->code != 0 && outcome->trouble != TROUBLE_HOST)
		account->own = TRUE;
	if (outcome->code == 0 && account->replied)
		return;
	account->replied = outcome->code != 0;
	g_strlcpy(account->dsn, outcome->dsn, sizeof(account->dsn));
}

/* Was every host tried, and none is fit for the message? */
static gboolean
is_hopeless(const struct account *account, const GArray *contenders)
{
	if (account->unfit == 0 || account->unfit < account->noted)
		return FALSE;
	for (guint i = 0; i < contenders->len; i++) {
		if (g_array_index(contenders, struct contender, i).standing !=
		    STANDING_TRIED)
			return FALSE;
	}
	return TRUE;
}

void
account_defer(const struct account *account, const GArray *contenders,
    struct verdict *verdict)
{
	const char *tried = account->tried->str;
	gboolean any = account->tried->len > 0;
	g_autofree char *rest = NULL;

	if (account->mixed) {
		verdict_set_mixed(verdict, tried);
	} else if (account->spent != NULL) {
		verdict_set(verdict, VERDICT_DEFER,
		    any ? account->dsn : "4.4.1",
		    "%s%s%s reached, no other host was begun", tried,
		    any ? "; " : "", account->spent);
	} else if (account->late) {
		verdict_set(verdict, VERDICT_DEFER,
		    any ? account->dsn : "4.4.1",
		    "%s%stime-limit near, no %shost was begun", tried,
		    any ? "; " : "", any ? "other " : "");
	} else if (is_hopeless(account, contenders)) {
		verdict_set(verdict, VERDICT_BOUNCE, "5.6.7", "%s", tried);
	} else if (any) {
		rest = passedover_text(contenders);
		verdict_set(verdict, VERDICT_DEFER, account->dsn, "%s%s", tried,
		    rest);
	} else {
		passedover_verdict(contenders, verdict);
	}
}
