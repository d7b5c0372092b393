/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "unit/statetexts.h"

void
statetexts_put_work(struct statefile_view *view, void *data)
{
	char **words = data;

	for (guint i = 0; words[i] != NULL; i += 2)
		statefile_put(view, words[i], words[i + 1],
		    strlen(words[i + 1]) + 1);
}

static void
delete_text(struct statefile_view *view, void *data)
{
	statefile_delete(view, data);
}

void
statetexts_list_work(struct statefile_view *view, void *data)
{
	GString *text = data;
	g_autofree char *from = g_strdup("");

	g_string_truncate(text, 0);
	for (;;) {
		const void *value;
		gsize size;
		const char *key = statefile_seek(view, from, &value, &size);

		if (key == NULL)
			return;
		if (!g_str_equal(key, "layout"))
			g_string_append_printf(text, "%s%s=%s",
			    text->len > 0 ? " " : "", key, (const char *)value);
		g_free(from);
		from = statefile_after(key);
	}
}

void
statetexts_run(const struct statefolder *place,
    void (*work)(struct statefile_view *view, void *data), void *data)
{
	g_autoptr(Statefile) file = statefile_new(place->folder);
	g_autoptr(GError) error = NULL;
	g_autofree char *notice = NULL;

	statefile_run(file, STATEFILE_WRITE, work, data, &error);
	g_assert_no_error(error);
	notice = statefile_take_notice(file);
	g_assert_cmpstr(notice, ==, NULL);
}

void
statetexts_put(const struct statefolder *place, const char *texts)
{
	g_auto(GStrv) words = g_strsplit_set(texts, "= ", 0);

	statetexts_run(place, statetexts_put_work, words);
}

void
statetexts_assert(const struct statefolder *place, enum statefile_access access,
    const char *expected)
{
	g_autoptr(Statefile) file = statefile_new(place->folder);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	statefile_run(file, access, statetexts_list_work, text, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(text->str, ==, expected);
}

void
statetexts_delete(const struct statefolder *place, const char *key)
{
	g_autofree char *copy = g_strdup(key);

	statetexts_run(place, delete_text, copy);
}
