/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "smtp/fold.h"

/* What ends the content, behind its last line's end. */
#define END ".\r\n"

/* Handed over when there is so much. */
#define BATCH (MESSAGE_PIECE_MAX / 2)

struct folder {
	struct message *folded;
	GString *batch;
	guint limit;
	guint column;   /* octets of the line so far */
	gboolean begun; /* the line has a first octet, dots counted */
};

static gboolean
flush(struct folder *folder, gsize enough, GError **error)
{
	gboolean good;

	if (folder->batch->len < enough)
		return TRUE;
	good = message_add(folder->folded, folder->batch->str,
	    folder->batch->len, error);
	g_string_truncate(folder->batch, 0);
	return good;
}

static void
take_octet(struct folder *folder, char octet)
{
	/* A first dot was put there for the wire (RFC 5321 section 4.5.2). */
	gboolean stuffed = !folder->begun && octet == '.';

	folder->begun = TRUE;
	if (stuffed)
		return;
	if (folder->column == folder->limit) {
		g_string_append(folder->batch, "\n ");
		folder->column = 1;
	}
	g_string_append_c(folder->batch, octet);
	folder->column++;
}

/* On the wire CR is part of CRLF only. */
static gboolean
take_piece(struct folder *folder, const char *data, gsize length,
    GError **error)
{
	for (gsize i = 0; i < length; i++) {
		if (data[i] == '\n') {
			g_string_append_c(folder->batch, '\n');
			folder->column = 0;
			folder->begun = FALSE;
		} else if (data[i] != '\r') {
			take_octet(folder, data[i]);
		}
		if (!flush(folder, BATCH, error))
			return FALSE;
	}
	return TRUE;
}

/* Octets on the wire but for the end. */
static guint64
content_length(const struct message *message)
{
	return message_wire_length(message) - strlen(END);
}

struct message *
fold_message(struct message *message, guint limit, const char *spool_directory,
    GError **error)
{
	g_autoptr(Message) folded = message_new(spool_directory);
	g_autoptr(GString) batch = g_string_sized_new(BATCH + 4);
	struct folder folder = {folded, batch, limit, 0, FALSE};
	guint64 end = content_length(message);
	guint64 offset = 0;

	while (offset < end) {
		const char *data;
		gsize length;

		if (!message_piece(message, offset, &data, &length, error))
			return NULL;
		length = (gsize)MIN(length, end - offset);
		if (!take_piece(&folder, data, length, error))
			return NULL;
		offset += length;
	}
	if (!flush(&folder, 1, error) || !message_end(folded, error))
		return NULL;
	return g_steal_pointer(&folded);
}

/*
 * Is there a longer line in the piece, or does one end there?  *column: that
 * of the line that goes on from the piece before, and into the next.
 */
static gboolean
has_long_line(const char *data, gsize length, guint limit, guint64 *column)
{
	const char *end = data + length;

	while (data < end) {
		const char *lf = memchr(data, '\n', (gsize)(end - data));
		const char *stop = lf != NULL ? lf : end;

		/* Its CR; a doubled dot makes one look for nothing. */
		*column += (guint64)(stop - data);
		if (*column > (guint64)limit + (lf != NULL ? 1 : 0))
			return TRUE;
		if (lf == NULL)
			return FALSE;
		*column = 0;
		data = lf + 1;
	}
	return FALSE;
}

gboolean
fold_is_needed(struct message *message, guint limit)
{
	guint64 end = content_length(message);
	guint64 offset = 0;
	guint64 column = 0;

	while (offset < end) {
		const char *data;
		gsize length;

		if (!message_piece(message, offset, &data, &length, NULL))
			return FALSE;
		if (has_long_line(data, length, limit, &column))
			return TRUE;
		offset += length;
	}
	return FALSE;
}
