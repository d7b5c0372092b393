/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lmtp/intake.h"
#include "lmtp/undot.h"
#include "util/deadline.h"

/* A few commands, or a piece of content. */
#define BUFFER_SIZE MESSAGE_PIECE_MAX

struct intake {
	int fd;
	char *buffer;     /* of BUFFER_SIZE */
	gsize begin;      /* of what was not taken yet */
	gsize end;        /* of what was read */
	gboolean skips;   /* the rest of a line that was too long */
	GByteArray *text; /* content on its way into the message */
	char line[INTAKE_LINE_MAX + 1];
};

struct intake *
intake_new(int fd)
{
	struct intake *intake = g_new0(struct intake, 1);

	intake->fd = fd;
	intake->buffer = g_malloc(BUFFER_SIZE);
	intake->text = g_byte_array_sized_new(BUFFER_SIZE);
	return intake;
}

void
intake_free(struct intake *intake)
{
	g_byte_array_unref(intake->text);
	g_free(intake->buffer);
	g_free(intake);
}

/* Makes room, and reads what is there.  INTAKE_LINE: there is more. */
static enum intake_result
read_more(struct intake *intake, gint64 deadline)
{
	struct pollfd pollfd = {.fd = intake->fd, .events = POLLIN};
	gssize n;
	int ready;

	if (intake->begin > 0)
		memmove(intake->buffer, intake->buffer + intake->begin,
		    intake->end - intake->begin);
	intake->end -= intake->begin;
	intake->begin = 0;
	do {
		ready = deadline_poll(&pollfd, 1, deadline);
		if (ready == 0)
			return INTAKE_LATE;
		if (ready < 0)
			return INTAKE_END;
		n = read(intake->fd, intake->buffer + intake->end,
		    BUFFER_SIZE - intake->end);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n <= 0)
		return INTAKE_END;
	intake->end += (gsize)n;
	return INTAKE_LINE;
}

static const char *
find_line_end(const struct intake *intake)
{
	return memchr(intake->buffer + intake->begin, '\n',
	    intake->end - intake->begin);
}

gboolean
intake_has_line(const struct intake *intake)
{
	return find_line_end(intake) != NULL;
}

static gboolean
has_prefix(const char *line, gsize length, const char *prefix)
{
	return length >= strlen(prefix) &&
	    g_ascii_strncasecmp(line, prefix, strlen(prefix)) == 0;
}

gboolean
intake_follows(const struct intake *intake, const char *skipped,
    const char *word)
{
	const char *line = intake->buffer + intake->begin;
	const char *end = intake->buffer + intake->end;
	const char *lf;

	while ((lf = memchr(line, '\n', (gsize)(end - line))) != NULL) {
		gsize length = (gsize)(lf - line);

		if (!has_prefix(line, length, skipped)) {
			if (length > 0 && line[length - 1] == '\r')
				length--;
			return length == strlen(word) &&
			    has_prefix(line, length, word);
		}
		line = lf + 1;
	}
	return FALSE;
}

/* @length octets, the LF included. */
static enum intake_result
take_line(struct intake *intake, gsize length, const char **line)
{
	const char *begin = intake->buffer + intake->begin;
	gboolean whole = !intake->skips && length <= INTAKE_LINE_MAX;

	intake->begin += length;
	intake->skips = FALSE;
	if (!whole)
		return INTAKE_LONG;
	length--;
	if (length > 0 && begin[length - 1] == '\r')
		length--;
	memcpy(intake->line, begin, length);
	intake->line[length] = '\0';
	for (gsize i = 0; i < length; i++) {
		if (intake->line[i] == '\0')
			intake->line[i] = '?';
	}
	*line = intake->line;
	return INTAKE_LINE;
}

enum intake_result
intake_line(struct intake *intake, gint64 deadline, const char **line)
{
	const char *lf;

	while ((lf = find_line_end(intake)) == NULL) {
		enum intake_result result;

		if (intake->end - intake->begin > INTAKE_LINE_MAX) {
			intake->skips = TRUE;
			intake->begin = intake->end;
		}
		result = read_more(intake, deadline);
		if (result != INTAKE_LINE)
			return result;
	}
	return take_line(intake,
	    (gsize)(lf - (intake->buffer + intake->begin)) + 1, line);
}

/* Takes what was read, up to the content's end, into intake->text. */
static void
take_content(struct intake *intake, struct undot *undot)
{
	g_byte_array_set_size(intake->text, 0);
	while (intake->begin < intake->end && undot->place != UNDOT_END &&
	    intake->text->len < MESSAGE_PIECE_MAX) {
		const char *run;
		gsize length;
		gsize room = MESSAGE_PIECE_MAX - intake->text->len;

		intake->begin +=
		    undot_next(undot, intake->buffer + intake->begin,
			MIN(intake->end - intake->begin, room), &run, &length);
		g_byte_array_append(intake->text, (const guint8 *)run,
		    (guint)length);
	}
}

enum intake_result
intake_content(struct intake *intake, struct message *message, gint64 deadline,
    GError **error)
{
	struct undot undot = {UNDOT_LINE_BEGIN};
	gboolean kept = TRUE;

	while (undot.place != UNDOT_END) {
		if (intake->begin == intake->end) {
			enum intake_result result = read_more(intake, deadline);

			if (result != INTAKE_LINE)
				return result;
		}
		take_content(intake, &undot);
		kept = kept &&
		    message_add(message, (const char *)intake->text->data,
			intake->text->len, error);
	}
	if (kept)
		kept = message_end(message, error);
	return kept ? INTAKE_LINE : INTAKE_LOST;
}
