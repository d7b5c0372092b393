/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/import/import-text.h"

char *
import_dup(const struct import_text *text)
{
	if (memchr(text->at, '\0', text->length) != NULL)
		return NULL;
	return g_strndup(text->at, text->length);
}

struct import_text
import_cut(struct import_text *text, gsize count)
{
	struct import_text head = *text;

	head.length = count;
	text->at += count;
	text->length -= count;
	text->column += (unsigned)count;
	return head;
}

void
import_walk_begin(struct import_walk *walk, const char *text, gsize length)
{
	walk->at = text;
	walk->end = text + length;
	walk->line = 0;
	walk->column = 1;
}

gboolean
import_next_line(struct import_walk *walk, struct import_text *line)
{
	const char *end;

	if (walk->at == walk->end)
		return FALSE;
	end = memchr(walk->at, '\n', (gsize)(walk->end - walk->at));
	if (end == NULL)
		end = walk->end;
	line->at = walk->at;
	line->length = (gsize)(end - walk->at);
	line->line = ++walk->line;
	line->column = 1;
	walk->at = end < walk->end ? end + 1 : end;
	while (line->length > 0 && g_ascii_isspace(line->at[line->length - 1]))
		line->length--;
	return TRUE;
}

struct import_text
import_map_key(const struct maptext_entry *entry)
{
	const struct import_text key = {
	    .at = entry->key,
	    .length = entry->key_length,
	    .line = entry->line,
	    .column = 1,
	};

	return key;
}

void
import_words_begin(struct import_walk *walk, const struct maptext_entry *entry)
{
	walk->at = entry->value;
	walk->end = entry->value + entry->value_length;
	walk->line = entry->line;
	walk->column = entry->column;
}

static void
step(struct import_walk *walk)
{
	if (*walk->at == '\n') {
		walk->line++;
		walk->column = 0;
	}
	walk->at++;
	walk->column++;
}

static gboolean
is_between_words(char c)
{
	return c == ',' || g_ascii_isspace(c);
}

gboolean
import_next_word(struct import_walk *walk, struct import_text *word)
{
	gboolean line_began = FALSE;
	gboolean comment = FALSE;

	for (; walk->at < walk->end; step(walk)) {
		char c = *walk->at;

		if (c == '\n')
			comment = FALSE;
		else if (c == '#' && line_began)
			comment = TRUE;
		if (!comment && !is_between_words(c))
			break;
		if (c == '\n' || c == ',')
			line_began = c == '\n';
	}
	if (walk->at == walk->end)
		return FALSE;
	word->at = walk->at;
	word->line = walk->line;
	word->column = walk->column;
	while (walk->at < walk->end && !is_between_words(*walk->at))
		step(walk);
	word->length = (gsize)(walk->at - word->at);
	return TRUE;
}
