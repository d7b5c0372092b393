/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "lmtp/undot.h"

/* The place after an octet that is neither dropped nor an end. */
static enum undot_place
place_after(enum undot_place place, char octet)
{
	if (octet == '\r')
		return UNDOT_CR;
	/* A bare LF ends no line: a dot behind it is no leading one. */
	return octet == '\n' && place == UNDOT_CR ? UNDOT_LINE_BEGIN
						  : UNDOT_WITHIN;
}

/* To where a line may begin with a dot, or to the end. */
static gsize
length_before_dot(const char *data, gsize size)
{
	const char *end = data + size;
	const char *line = data;

	do {
		const char *lf = memchr(line, '\n', (gsize)(end - line));

		line = lf != NULL ? lf + 1 : end;
	} while (line < end && *line != '.');
	return (gsize)(line - data);
}

/* As much as can be said before that. */
static gsize
take_lines(struct undot *undot, const char *data, gsize size)
{
	gsize used = length_before_dot(data, size);

	if (used > 1)
		undot->place = data[used - 2] == '\r' ? UNDOT_CR : UNDOT_WITHIN;
	undot->place = place_after(undot->place, data[used - 1]);
	return used;
}

/* After a dot: the end, or a dot that was doubled. */
static gsize
take_after_dot(struct undot *undot, const char *data, const char **run,
    gsize *length)
{
	*length = 0;
	if (undot->place == UNDOT_DOT && *data == '\r') {
		undot->place = UNDOT_DOT_CR;
		return 1;
	}
	if (undot->place == UNDOT_DOT_CR && *data == '\n') {
		undot->place = UNDOT_END;
		return 1;
	}
	if (undot->place == UNDOT_DOT_CR) {
		*run = "\r";
		*length = 1;
		undot->place = UNDOT_CR;
		return 0;
	}
	undot->place = UNDOT_WITHIN;
	return 0;
}

gsize
undot_next(struct undot *undot, const char *data, gsize size, const char **run,
    gsize *length)
{
	gsize used = 0;

	*run = data;
	*length = 0;
	if (undot->place == UNDOT_END || size == 0)
		return 0;
	if (undot->place == UNDOT_LINE_BEGIN && *data == '.') {
		undot->place = UNDOT_DOT;
		return 1;
	}
	if (undot->place == UNDOT_DOT || undot->place == UNDOT_DOT_CR) {
		used = take_after_dot(undot, data, run, length);
		if (used > 0 || *length > 0)
			return used;
	}
	*length = used = take_lines(undot, data, size);
	return used;
}
