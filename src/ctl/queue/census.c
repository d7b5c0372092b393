/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/queue/census.h"

/* Some 20 MB; more is not for reading. */
#define GROUPS_MAX 50000

static void
group_free(gpointer data)
{
	struct group *group = data;

	g_clear_pointer(&group->children, g_hash_table_unref);
	g_free(group->name);
	g_free(group);
}

static struct group *
group_new(const char *name)
{
	struct group *group = g_new0(struct group, 1);

	group->name = g_strdup(name);
	return group;
}

struct census *
census_new(void)
{
	struct census *census = g_new0(struct census, 1);

	census->all = group_new("");
	census->others = group_new("");
	census->left = GROUPS_MAX;
	return census;
}

void
census_begin(struct census *census)
{
	census->number++;
}

/* A message counts once, however many recipients it has. */
static void
count(const struct census *census, struct group *group,
    const struct mailq_message *message)
{
	group->recipients++;
	if (group->last == census->number)
		return;
	group->last = census->number;
	group->messages[message->place]++;
	if (message->place != MAILQ_HELD && message->arrival > 0 &&
	    (group->oldest == 0 || message->arrival < group->oldest))
		group->oldest = message->arrival;
}

/* NULL: there are too many. */
static struct group *
get_child(struct census *census, struct group *parent, const char *name)
{
	struct group *group;

	if (parent->children == NULL)
		parent->children = g_hash_table_new_full(g_str_hash,
		    g_str_equal, NULL, group_free);
	group = g_hash_table_lookup(parent->children, name);
	if (group != NULL || census->left == 0)
		return group;
	census->left--;
	group = group_new(name);
	g_hash_table_insert(parent->children, group->name, group);
	return group;
}

struct group *
census_add(struct census *census, struct group *parent, const char *name,
    const struct mailq_message *message)
{
	struct group *above = parent != NULL ? parent : census->all;
	struct group *group = get_child(census, above, name);

	if (parent == NULL)
		count(census, above, message);
	if (group == NULL)
		above->beyond++;
	else
		count(census, group, message);
	return group;
}

void
census_add_other(struct census *census, const struct mailq_message *message)
{
	count(census, census->others, message);
}

guint64
group_waiting(const struct group *group)
{
	return group->messages[MAILQ_DEFERRED] + group->messages[MAILQ_ACTIVE];
}

gint64
group_age(const struct group *group)
{
	return group->oldest == 0
	    ? 0
	    : MAX(g_get_real_time() - group->oldest * G_USEC_PER_SEC, 0);
}

static int
compare_groups(const void *a, const void *b)
{
	const struct group *one = *(const struct group *const *)a;
	const struct group *other = *(const struct group *const *)b;
	guint64 count = group_waiting(one) + one->messages[MAILQ_HELD];
	guint64 others = group_waiting(other) + other->messages[MAILQ_HELD];

	if (count != others)
		return count > others ? -1 : 1;
	return strcmp(one->name, other->name);
}

GPtrArray *
group_sorted(const struct group *group)
{
	GPtrArray *sorted = g_ptr_array_new();
	GHashTableIter iter;
	gpointer child;

	if (group->children == NULL)
		return sorted;
	g_hash_table_iter_init(&iter, group->children);
	while (g_hash_table_iter_next(&iter, NULL, &child))
		g_ptr_array_add(sorted, child);
	g_ptr_array_sort(sorted, compare_groups);
	return sorted;
}

void
census_free(struct census *census)
{
	group_free(census->all);
	group_free(census->others);
	g_free(census);
}
