/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "address/domain.h"
#include "route/mapindex.h"
#include "route/maplmdb.h"

/* LMDB's own limit is 511 bytes. */
#define KEY_MAX 512

/* So many labels of a domain may be either A-labels or U-labels in a key. */
#define MIXED_MAX 4

/* Keys that are address literals, which may be written in many ways. */
#define LITERALS_MAX 10000

struct search {
	GPtrArray *keys;     /* those to look for, the best one first */
	const char *literal; /* before all of them; NULL: no literal */
	char key[KEY_MAX];   /* what was found, without its NUL */
	gsize key_length;    /* 0: nothing */
	char *value;         /* a copy, as much as may be of it */
	gsize value_length;
};

static void
add_spellings(GPtrArray *keys, const char *left, const char *right,
    guint mixed);

/* Adds @left with @label, then each spelling of what stands behind the dot. */
static void
add_label(GPtrArray *keys, const char *left, const char *label, const char *dot,
    guint mixed)
{
	g_autofree char *more =
	    g_strconcat(left, label, dot != NULL ? "." : "", NULL);

	if (dot == NULL)
		g_ptr_array_add(keys, g_steal_pointer(&more));
	else
		add_spellings(keys, more, dot + 1, mixed);
}

/* Adds @left, ended by each spelling of @right's labels. */
static void
add_spellings(GPtrArray *keys, const char *left, const char *right, guint mixed)
{
	const char *dot = strchr(right, '.');
	g_autofree char *label = g_strndup(right,
	    dot == NULL ? strlen(right) : (gsize)(dot - right));
	g_autofree char *letters = NULL;

	add_label(keys, left, label, dot, mixed);
	if (mixed == 0 || !g_hostname_is_ascii_encoded(label))
		return;
	letters = g_hostname_to_unicode(label);
	if (letters != NULL)
		add_label(keys, left, letters, dot, mixed - 1);
}

static GPtrArray *
keys_for(const char *key, gboolean named)
{
	GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
	const char *dot = strchr(key, '.');

	if (key[0] != '[')
		add_spellings(keys, "", key, MIXED_MAX);
	if (named)
		return keys;
	for (; key[0] != '[' && dot != NULL; dot = strchr(dot + 1, '.'))
		add_spellings(keys, ".", dot + 1, MIXED_MAX);
	g_ptr_array_add(keys, g_strdup("*"));
	g_ptr_array_add(keys, g_strdup("all"));
	return keys;
}

/* Leaves out the trailing NUL, with which Postfix stores its strings. */
static gsize
text_length(const MDB_val *val)
{
	const char *text = val->mv_data;

	return val->mv_size > 0 && text[val->mv_size - 1] == '\0'
	    ? val->mv_size - 1
	    : val->mv_size;
}

/* Nothing in here allocates, since it may not come to its end. */
static gboolean
take(struct search *search, const MDB_val *key, const MDB_val *value)
{
	gsize length = text_length(key);

	if (length == 0 || length >= KEY_MAX)
		return FALSE;
	memcpy(search->key, key->mv_data, length);
	search->key[length] = '\0';
	search->key_length = length;
	search->value_length = text_length(value);
	memcpy(search->value, value->mv_data,
	    MIN(search->value_length, MAPINDEX_VALUE_MAX));
	return TRUE;
}

/* The key @text as it stands, with or without its NUL. */
static int
get(struct search *search, MDB_cursor *cursor, const char *text)
{
	MDB_val key = {strlen(text) + 1, (void *)(guintptr)text};
	MDB_val value;
	int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_KEY);

	if (code == MDB_NOTFOUND) {
		key = (MDB_val){strlen(text), (void *)(guintptr)text};
		code = mdb_cursor_get(cursor, &key, &value, MDB_SET_KEY);
	}
	if (code == 0)
		take(search, &key, &value);
	return code;
}

/*
 * The forms of one key: most maps have none of most keys, and one look where
 * they would be says so.
 */
static int
get_form(struct search *search, MDB_cursor *cursor, const char *text)
{
	static const char *const ends[] = {"", ":", ".", ".:"};
	gsize length = strlen(text);
	MDB_val key = {length, (void *)(guintptr)text};
	char form[KEY_MAX];
	MDB_val value;
	int code;

	if (length == 0 || length + sizeof(".:") > KEY_MAX)
		return MDB_NOTFOUND;
	code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	if (code != 0)
		return code;
	if (key.mv_size < length || memcmp(key.mv_data, text, length) != 0)
		return MDB_NOTFOUND;
	code = MDB_NOTFOUND;
	for (gsize i = 0; i < G_N_ELEMENTS(ends) && code == MDB_NOTFOUND; i++) {
		g_strlcpy(form, text, sizeof(form));
		g_strlcat(form, ends[i], sizeof(form));
		code = get(search, cursor, form);
	}
	return code;
}

static gboolean
is_literal(const char *key, const char *literal)
{
	g_autofree char *bare = g_strdup(key);
	g_autofree char *form = NULL;
	char *end = strchr(bare, ']');

	if (end == NULL || (end[1] != '\0' && strcmp(end + 1, ":") != 0))
		return FALSE;
	end[1] = '\0';
	form = domain_literal_canonical(bare, NULL);
	return g_strcmp0(form, literal) == 0;
}

static int
get_literal(struct search *search, MDB_cursor *cursor)
{
	MDB_val key = {1, (void *)(guintptr) "["};
	MDB_val value;
	int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);

	for (guint i = 0; code == 0 && i < LITERALS_MAX; i++) {
		if (key.mv_size == 0 || *(char *)key.mv_data != '[')
			break;
		if (take(search, &key, &value) &&
		    is_literal(search->key, search->literal))
			return 0;
		search->key_length = 0;
		code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	return code == 0 ? MDB_NOTFOUND : code;
}

/* A maplmdb_step. */
static int
find(MDB_cursor *cursor, gboolean first G_GNUC_UNUSED, gboolean *more,
    void *data)
{
	struct search *search = data;
	int code = MDB_NOTFOUND;

	search->key_length = 0;
	if (search->literal != NULL)
		code = get_literal(search, cursor);
	for (guint i = 0; i < search->keys->len && code == MDB_NOTFOUND; i++)
		code = get_form(search, cursor, search->keys->pdata[i]);
	*more = FALSE;
	return code;
}

static gboolean
has_text(const char *text, gsize length)
{
	while (length > 0 && g_ascii_isspace(*text)) {
		text++;
		length--;
	}
	return length > 0;
}

/* The entry as the text map's would be; Postfix leaves no line ends in it. */
static char *
make_entry(const struct search *search, struct maptext_entry *entry)
{
	gsize length = search->key_length;
	char *text = g_malloc(length + search->value_length + 1);

	memcpy(text, search->key, length);
	memcpy(text + length, search->value, search->value_length);
	text[length + search->value_length] = '\0';
	for (gsize i = length; i < length + search->value_length; i++) {
		if (text[i] == '\n')
			text[i] = ' ';
	}
	*entry = (struct maptext_entry){
	    .key = text,
	    .colon = text[length - 1] == ':',
	    .value = text + length,
	    .value_length = search->value_length,
	    .has_value = has_text(search->value, search->value_length),
	    .column = 1,
	};
	entry->key_length = length - entry->colon;
	return text;
}

char *
mapindex_find(const char *map, const char *key, gboolean named, char **ret_text,
    struct maptext_entry *ret_entry)
{
	g_autoptr(GPtrArray) keys = keys_for(key, named);
	/* Of its pages those that nothing is written to take no memory. */
	g_autofree char *value = g_malloc(MAPINDEX_VALUE_MAX);
	struct search search = {
	    .keys = keys,
	    .literal = key[0] == '[' && !named ? key : NULL,
	    .value = value,
	};
	g_autofree char *reason = maplmdb_read(map, find, &search);

	if (reason != NULL)
		return g_steal_pointer(&reason);
	*ret_text = NULL;
	if (search.key_length == 0)
		return NULL;
	if (search.value_length > MAPINDEX_VALUE_MAX)
		return g_strdup_printf("%s: key %s has more than 1 MiB", map,
		    search.key);
	*ret_text = make_entry(&search, ret_entry);
	return NULL;
}
