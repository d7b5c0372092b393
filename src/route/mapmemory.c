/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "route/mapkey.h"
#include "route/mapmemory.h"
#include "util/slurp.h"
#include "util/unchanged.h"

/*
 * A second change within that time may have the time of the first one: kernels
 * tell it to some milliseconds, and file systems to up to two seconds.
 */
#define SETTLED_AFTER (3 * G_USEC_PER_SEC)

struct mapmemory {
	char *path; /* NULL: nothing is held */
	struct stat read;
	char *text;
	GHashTable *entries;      /* key -> struct maptext_entry */
	struct maptext_entry any; /* for all domains; key NULL: there is none */
};

struct mapmemory *
mapmemory_new(void)
{
	return g_new0(struct mapmemory, 1);
}

static void
forget(struct mapmemory *memory)
{
	g_clear_pointer(&memory->path, g_free);
	g_clear_pointer(&memory->text, g_free);
	g_clear_pointer(&memory->entries, g_hash_table_destroy);
	memory->any = (struct maptext_entry){0};
}

void
mapmemory_free(struct mapmemory *memory)
{
	if (memory == NULL)
		return;
	forget(memory);
	g_free(memory);
}

/* As lookups have it: lower case, without a final dot.  NULL: none finds it. */
static char *
key_of(const struct maptext_entry *entry)
{
	g_autofree char *other = NULL;
	const char *key = entry->key;
	gsize length = entry->key_length;

	if (!entry->ascii || key[0] == '[') {
		other = mapkey_of(entry);
		if (other == NULL)
			return NULL;
		key = other;
		length = strlen(other);
	}
	if (memchr(key, '\0', length) != NULL)
		return NULL;
	if (length > 1 && key[length - 1] == '.')
		length--;
	return g_ascii_strdown(key, (gssize)length);
}

static void
add(struct mapmemory *memory, const struct maptext_entry *entry)
{
	g_autofree char *key = key_of(entry);
	const struct maptext_entry *before;

	if (key == NULL)
		return;
	before = g_hash_table_lookup(memory->entries, key);
	if (before == NULL || !mapkey_wins(before))
		g_hash_table_replace(memory->entries, g_strdup(key),
		    g_memdup2(entry, sizeof(*entry)));
	if (mapkey_is_any(key, strlen(key)) &&
	    (memory->any.key == NULL || !mapkey_wins(&memory->any)))
		memory->any = *entry;
}

void
mapmemory_fill(struct mapmemory *memory, char *text, gsize length)
{
	struct maptext_entry entry;
	struct maptext map;

	forget(memory);
	memory->text = text;
	memory->entries =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	maptext_begin(&map, text, length);
	while (maptext_next(&map, &entry))
		add(memory, &entry);
}

static gboolean
has_settled(const struct stat *st)
{
	gint64 changed = (gint64)st->st_ctim.tv_sec * G_USEC_PER_SEC +
	    st->st_ctim.tv_nsec / 1000;

	return g_get_real_time() - changed >= SETTLED_AFTER;
}

gboolean
mapmemory_load(struct mapmemory *memory, const char *path)
{
	g_autofree char *reason = NULL;
	struct stat now;
	gsize length;
	char *text;

	/* Before it is read: a change meanwhile is seen by the next call. */
	if (stat(path, &now) < 0 || now.st_size > MAPMEMORY_SIZE_MAX ||
	    !has_settled(&now)) {
		forget(memory);
		return FALSE;
	}
	if (g_strcmp0(memory->path, path) == 0 &&
	    unchanged(&memory->read, &now))
		return TRUE;
	forget(memory);
	reason = slurp(path, MAPMEMORY_SIZE_MAX, &text, &length);
	if (reason != NULL)
		return FALSE;
	mapmemory_fill(memory, text, length);
	memory->path = g_strdup(path);
	memory->read = now;
	return TRUE;
}

static gboolean
take(const struct mapmemory *memory, const char *key,
    struct maptext_entry *ret_entry)
{
	const struct maptext_entry *entry =
	    g_hash_table_lookup(memory->entries, key);

	if (entry != NULL)
		*ret_entry = *entry;
	return entry != NULL;
}

gboolean
mapmemory_find(const struct mapmemory *memory, const char *key, gboolean named,
    struct maptext_entry *ret_entry)
{
	g_autofree char *lower = g_ascii_strdown(key, -1);
	const char *parent = lower;

	if (take(memory, lower, ret_entry))
		return TRUE;
	if (named)
		return FALSE;
	while (lower[0] != '[' && (parent = strchr(parent + 1, '.')) != NULL) {
		if (take(memory, parent, ret_entry))
			return TRUE;
	}
	*ret_entry = memory->any;
	return memory->any.key != NULL;
}
