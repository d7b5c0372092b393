/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "agent/portion.h"

static char *
tried_key(const struct destination *destination, guint rid)
{
	return g_strdup_printf("%p %u", (const void *)destination, rid);
}

static gboolean
has(const GArray *rids, guint rid)
{
	for (guint i = 0; i < rids->len; i++) {
		if (g_array_index(rids, guint, i) == rid)
			return TRUE;
	}
	return FALSE;
}

/* A new array. */
static GArray *
without(const GArray *rids, const GArray *others)
{
	GArray *rest = g_array_new(FALSE, FALSE, sizeof(guint));

	for (guint i = 0; i < rids->len; i++) {
		guint rid = g_array_index(rids, guint, i);

		if (others == NULL || !has(others, rid))
			g_array_append_val(rest, rid);
	}
	return rest;
}

void
portion_miss(struct portion *portion, const GArray *rids)
{
	portion->untried = without(rids, portion->answered);
}

gboolean
portion_take(struct portion *portion, struct hoststate *state, GArray *rids,
    GArray *later)
{
	guint granted = hoststate_grant(state, rids->len);

	if (granted == 0) {
		portion_miss(portion, rids);
		return FALSE;
	}
	g_array_set_size(later, 0);
	if (granted < rids->len)
		g_array_append_vals(later, &g_array_index(rids, guint, granted),
		    rids->len - granted);
	g_array_set_size(rids, MIN(granted, rids->len));
	return TRUE;
}

void
portion_note(struct portion *portion, const GArray *rids)
{
	if (portion->answered == NULL)
		portion->answered = g_array_new(FALSE, FALSE, sizeof(guint));
	g_array_append_vals(portion->answered, rids->data, rids->len);
}

static gboolean
was_tried(const struct portion *portion, const struct destination *destination,
    guint rid)
{
	g_autofree char *key = NULL;

	if (portion->tried == NULL)
		return FALSE;
	key = tried_key(destination, rid);
	return g_hash_table_contains(portion->tried, key);
}

GArray *
portion_new_to(const struct portion *portion,
    const struct destination *destination, const GArray *open)
{
	GArray *rids = g_array_new(FALSE, FALSE, sizeof(guint));

	for (guint i = 0; i < open->len; i++) {
		guint rid = g_array_index(open, guint, i);

		if (!was_tried(portion, destination, rid))
			g_array_append_val(rids, rid);
	}
	return rids;
}

void
portion_leave(struct portion *portion, struct plan *plan, const GArray *open)
{
	g_autoptr(GArray) untried = g_steal_pointer(&portion->untried);

	g_clear_pointer(&portion->answered, g_array_unref);
	if (untried == NULL || untried->len == 0)
		return;
	if (portion->tried == NULL)
		portion->tried = g_hash_table_new_full(g_str_hash, g_str_equal,
		    g_free, NULL);
	for (guint i = 0; i < open->len; i++) {
		guint rid = g_array_index(open, guint, i);

		if (!has(untried, rid))
			g_hash_table_add(portion->tried,
			    tried_key(plan_current(plan), rid));
	}
	plan_reopen(plan)->standing = STANDING_FREE;
}

void
portion_part(GArray *rids, struct outcome *outcomes, GArray *again)
{
	guint kept = 0;

	g_array_set_size(again, 0);
	for (guint i = 0; i < rids->len; i++)
		kept += !outcome_is_too_many(&outcomes[i]);
	if (kept == 0)
		return;
	kept = 0;
	for (guint i = 0; i < rids->len; i++) {
		guint rid = g_array_index(rids, guint, i);

		if (outcome_is_too_many(&outcomes[i])) {
			g_array_append_val(again, rid);
			continue;
		}
		g_array_index(rids, guint, kept) = rid;
		outcome_move(&outcomes[kept++], &outcomes[i]);
	}
	g_array_set_size(rids, kept);
}

void
portion_clear(struct portion *portion)
{
	g_clear_pointer(&portion->untried, g_array_unref);
	g_clear_pointer(&portion->answered, g_array_unref);
	g_clear_pointer(&portion->tried, g_hash_table_unref);
}
