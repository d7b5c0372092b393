/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "route/maptext.h"
#include "util/bom.h"

struct line {
	const char *at;
	const char *first; /* that is no blank */
	const char *end;   /* the line end, or the text's */
};

void
maptext_begin(struct maptext *text, const char *at, gsize length)
{
	text->at = at + bom_length(at, length);
	text->end = at + length;
	text->line = 0;
	text->records = FALSE;
}

void
maptext_begin_records(struct maptext *text, const char *at, gsize length)
{
	maptext_begin(text, at, length);
	text->at = at;
	text->records = TRUE;
}

static const char *
skip_blanks(const char *at, const char *end)
{
	while (at < end && g_ascii_isspace(*at))
		at++;
	return at;
}

/* The line at text->at, which stays there. */
static gboolean
peek_line(const struct maptext *text, struct line *line)
{
	const char *newline;

	if (text->at == text->end)
		return FALSE;
	newline = memchr(text->at, '\n', (gsize)(text->end - text->at));
	line->at = text->at;
	line->end = newline == NULL ? text->end : newline;
	line->first = skip_blanks(line->at, line->end);
	return TRUE;
}

static void
take_line(struct maptext *text, const struct line *line)
{
	text->at = line->end < text->end ? line->end + 1 : text->end;
	text->line++;
}

static gboolean
is_nothing(const struct line *line)
{
	return line->first == line->end || *line->first == '#';
}

/* Ends at a blank, or the ':' of "key:", not of "[IPv6:...]". */
static void
find_key(const struct line *line, struct maptext_entry *entry)
{
	const char *at = line->at;
	gboolean bracket = FALSE;

	entry->key = at;
	entry->ascii = TRUE;
	for (; at < line->end && !g_ascii_isspace(*at); at++) {
		if (*at == ':' && !bracket)
			break;
		if (*at == '[' || *at == ']')
			bracket = *at == '[';
		entry->ascii = entry->ascii && (guchar)*at < 0x80;
	}
	entry->key_length = (gsize)(at - line->at);
	entry->colon = at < line->end && *at == ':';
}

/* Without the NUL that Postfix stores with its strings. */
static gsize
text_length(const char *text, gsize length)
{
	return length > 0 && text[length - 1] == '\0' ? length - 1 : length;
}

static gboolean
next_record(struct maptext *text, struct maptext_entry *entry)
{
	struct maptext_record record;
	const char *at = text->at + sizeof(record);
	const char *end;

	if (text->at == text->end)
		return FALSE;
	memcpy(&record, text->at, sizeof(record));
	end = at + record.key_length + record.value_length;
	*entry = (struct maptext_entry){
	    .key = at,
	    .key_length = text_length(at, record.key_length),
	    .ascii = TRUE,
	    .value = at + record.key_length,
	    .value_length =
		text_length(at + record.key_length, record.value_length),
	    .column = 1,
	};
	for (gsize i = 0; i < entry->key_length; i++)
		entry->ascii = entry->ascii && (guchar)at[i] < 0x80;
	entry->colon =
	    entry->key_length > 0 && at[entry->key_length - 1] == ':';
	entry->key_length -= entry->colon;
	entry->has_value =
	    skip_blanks(entry->value, entry->value + entry->value_length) <
	    entry->value + entry->value_length;
	text->at = end;
	return TRUE;
}

gboolean
maptext_next(struct maptext *text, struct maptext_entry *entry)
{
	struct line line;
	const char *end;

	if (text->records)
		return next_record(text, entry);
	while (peek_line(text, &line) &&
	    (is_nothing(&line) || line.first > line.at))
		take_line(text, &line);
	if (text->at == text->end)
		return FALSE;
	take_line(text, &line);
	find_key(&line, entry);
	entry->line = text->line;
	entry->value = entry->key + entry->key_length + entry->colon;
	entry->column = (unsigned)(entry->value - line.at) + 1;
	end = line.end;
	entry->has_value = skip_blanks(entry->value, end) < end;
	while (peek_line(text, &line) &&
	    (is_nothing(&line) || line.first > line.at)) {
		take_line(text, &line);
		if (is_nothing(&line))
			continue;
		end = line.end;
		entry->has_value = TRUE;
	}
	entry->value_length = (gsize)(end - entry->value);
	return TRUE;
}
