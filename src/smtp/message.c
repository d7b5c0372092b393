/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "smtp/message.h"
#include "util/autofd.h"
#include "util/caller.h"
#include "util/deadline.h"
#include "util/pour.h"

/* What a pipe holds on Linux: one read empties it. */
#define BLOCK_SIZE MESSAGE_PIECE_MAX

/*
 * No octet becomes more than two: "\n" is "\r\n", "." is "..".  What one
 * block leaves for the next, and the end, come on top: a CR and ".\r\n".
 */
#define ROOM_FOR(length) (2 * (length) + 8)

struct message {
	/*
	 * The stored form until there is a file; from then on a piece on its
	 * way into the file or out of it.
	 */
	GByteArray *buffer;
	char *directory; /* of the file */
	int file;        /* -1 is none */
	guint64 in_file; /* octets */
	guint64 stuffed; /* dots added */
	gboolean is_8bit;
	gboolean in_line;    /* a dot would not be a leading one */
	gboolean pending_cr; /* the next octet says what it is */
};

G_DEFINE_QUARK(smtproute_message_error, message_error)

struct message *
message_new(const char *spool_directory)
{
	struct message *message = g_new0(struct message, 1);

	message->directory = g_strdup(spool_directory);
	message->file = -1;
	message->buffer = g_byte_array_new();
	return message;
}

void
message_empty(struct message *message)
{
	autofd_clear(&message->file);
	*message = (struct message){
	    .buffer = g_byte_array_set_size(message->buffer, 0),
	    .directory = message->directory,
	    .file = -1,
	};
}

void
message_free(struct message *message)
{
	if (message == NULL)
		return;
	g_free(message->directory);
	autofd_clear(&message->file);
	g_byte_array_unref(message->buffer);
	g_free(message);
}

static gboolean
set_spool_error(const struct message *message, const char *what, GError **error)
{
	g_set_error(error, MESSAGE_ERROR, MESSAGE_ERROR_SPOOL,
	    "spool file in %s: %s", message->directory, what);
	return FALSE;
}

static gboolean
has_8bit(const char *data, gsize length)
{
	guint64 seen = 0;
	guint64 word;

	for (; length >= sizeof(word); length -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		seen |= word;
		data += sizeof(word);
	}
	for (; length > 0; length--)
		seen |= (guchar)*data++;
	return (seen & G_GUINT64_CONSTANT(0x8080808080808080)) != 0;
}

/*
 * Copies @length octets to @out, CR as space: RFC 5321 section 2.3.8 allows
 * it as a part of CRLF only.  Returns where they end.
 */
static char *
copy_without_cr(char *out, const char *data, gsize length)
{
	char *end = out + length;
	char *cr = out;

	memcpy(out, data, length);
	while ((cr = memchr(cr, '\r', (gsize)(end - cr))) != NULL)
		*cr++ = ' ';
	return end;
}

static char *
copy_crlf(char *out)
{
	*out++ = '\r';
	*out++ = '\n';
	return out;
}

/* A pending CR that turned out to be a stray one. */
static char *
settle_cr(struct message *message, char *out)
{
	if (message->pending_cr) {
		message->pending_cr = FALSE;
		*out++ = ' ';
	}
	return out;
}

/* One line, or what the block has of it. */
static char *
convert_line(struct message *message, char *out, const char *line, gsize length,
    gboolean complete)
{
	gboolean cr = length > 0 && line[length - 1] == '\r';
	gsize content = cr ? length - 1 : length;

	/* RFC 5321 section 4.5.2 */
	if (!message->in_line && length > 0 && line[0] == '.') {
		message->stuffed++;
		*out++ = '.';
	}
	out = copy_without_cr(out, line, content);
	if (complete)
		out = copy_crlf(out);
	else
		message->pending_cr = cr;
	message->in_line = !complete;
	return out;
}

/* Does the line, with its LF, which is NULL if it has none yet, go as it is? */
static gboolean
stays(const struct message *message, const char *line, const char *lf)
{
	if (lf == NULL || lf == line || lf[-1] != '\r' || message->in_line ||
	    *line == '.')
		return FALSE;
	return memchr(line, '\r', (gsize)(lf - line)) == lf - 1;
}

static char *
copy(char *out, const char *begin, const char *end)
{
	memcpy(out, begin, (gsize)(end - begin));
	return out + (end - begin);
}

/* Lines that stay are copied together: over LMTP nearly all do. */
static char *
convert(struct message *message, char *out, const char *data, gsize length)
{
	const char *end = data + length;
	const char *kept = data; /* from here to @data they stay */

	if (length > 0 && data[0] == '\n')
		message->pending_cr = FALSE; /* the line's end begins with it */
	out = settle_cr(message, out);
	while (data < end) {
		const char *lf = memchr(data, '\n', (gsize)(end - data));
		const char *stop = lf != NULL ? lf : end;
		const char *next = lf != NULL ? lf + 1 : end;

		if (!stays(message, data, lf)) {
			out = copy(out, kept, data);
			out = convert_line(message, out, data,
			    (gsize)(stop - data), lf != NULL);
			kept = next;
		}
		data = next;
	}
	return copy(out, kept, end);
}

static char *
convert_end(struct message *message, char *out)
{
	out = settle_cr(message, out);
	if (message->in_line)
		out = copy_crlf(out);
	*out++ = '.';
	return copy_crlf(out);
}

/* Unlinked at once, so that no crash leaves anybody's mail behind. */
static gboolean
open_spool(struct message *message, GError **error)
{
	g_autofree char *path =
	    g_build_filename(message->directory, "smtproute-XXXXXX", NULL);
	autofd fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0 || unlink(path) < 0)
		return set_spool_error(message, g_strerror(errno), error);
	message->file = autofd_steal(&fd);
	return TRUE;
}

/* Moves the buffer's content into the file, as soon as there has to be one. */
static gboolean
spill(struct message *message, GError **error)
{
	gboolean first = message->file < 0;
	GByteArray *buffer = message->buffer;

	if (first && buffer->len <= MESSAGE_MEMORY_MAX)
		return TRUE;
	if (first && !open_spool(message, error))
		return FALSE;
	if (!pour(message->file, buffer->data, buffer->len))
		return set_spool_error(message, g_strerror(errno), error);
	message->in_file += buffer->len;
	if (first) {
		g_byte_array_unref(buffer);
		message->buffer = g_byte_array_sized_new(ROOM_FOR(BLOCK_SIZE));
	} else
		g_byte_array_set_size(buffer, 0);
	return TRUE;
}

gboolean
message_add(struct message *message, const char *data, gsize length,
    GError **error)
{
	GByteArray *buffer = message->buffer;
	guint kept = buffer->len;
	char *begin, *end;

	g_assert(length <= MESSAGE_PIECE_MAX);
	if (length == 0)
		return TRUE; /* a CR still waits for what follows it */
	g_byte_array_set_size(buffer, kept + ROOM_FOR((guint)length));
	begin = (char *)buffer->data + kept;
	end = convert(message, begin, data, length);
	g_byte_array_set_size(buffer, kept + (guint)(end - begin));
	if (!message->is_8bit)
		message->is_8bit = has_8bit(data, length);
	return spill(message, error);
}

gboolean
message_end(struct message *message, GError **error)
{
	GByteArray *buffer = message->buffer;
	guint kept = buffer->len;
	char *begin, *end;

	g_byte_array_set_size(buffer, kept + ROOM_FOR(0));
	begin = (char *)buffer->data + kept;
	end = convert_end(message, begin);
	g_byte_array_set_size(buffer, kept + (guint)(end - begin));
	return spill(message, error);
}

/*
 * One read(2).  The deadline is looked at even if there is always something
 * to read.  Returns the number of octets, 0 at the end, -1 with an error.
 */
static gssize
read_some(int fd, char *data, gsize length, gint64 deadline, GError **error)
{
	struct pollfd input = {.fd = fd, .events = POLLIN};
	gssize count;

	do {
		int ready = 0;

		if (deadline_left(deadline) > 0)
			ready = deadline_poll(&input, 1, deadline);
		if (ready == 0) {
			g_set_error(error, MESSAGE_ERROR, MESSAGE_ERROR_INPUT,
			    "reading the message: timed out");
			return -1;
		}
		count = ready < 0 ? -1 : read(fd, data, length);
	} while (count < 0 && (errno == EINTR || errno == EAGAIN));
	if (count < 0)
		g_set_error(error, MESSAGE_ERROR, MESSAGE_ERROR_INPUT,
		    "reading the message: %s", g_strerror(errno));
	return count;
}

/*
 * Fills @block, so that a writer of small pieces does not cause small writes
 * to the file.  Less than BLOCK_SIZE is the end of the input.
 */
static gboolean
read_block(int fd, char *block, gsize *ret_length, gint64 deadline,
    GError **error)
{
	gsize length = 0;
	gssize count;

	do {
		count = read_some(fd, block + length, BLOCK_SIZE - length,
		    deadline, error);
		if (count < 0)
			return FALSE;
		length += (gsize)count;
	} while (count > 0 && length < BLOCK_SIZE);
	*ret_length = length;
	return TRUE;
}

static void
set_gone(GError **error)
{
	g_set_error_literal(error, MESSAGE_ERROR, MESSAGE_ERROR_GONE,
	    CALLER_GONE);
}

struct message *
message_read(int fd, const char *spool_directory, gint64 deadline,
    GError **error)
{
	g_autoptr(Message) message = message_new(spool_directory);
	g_autofree char *block = g_malloc(BLOCK_SIZE);
	gsize length;

	do {
		if (!read_block(fd, block, &length, deadline, error))
			return NULL;
		if (!message_add(message, block, length, error))
			return NULL;
	} while (length == BLOCK_SIZE);
	if (caller_is_going()) {
		set_gone(error);
		return NULL;
	}
	return message_end(message, error) ? g_steal_pointer(&message) : NULL;
}

gboolean
message_may_end(GError **error)
{
	if (!caller_is_gone())
		return TRUE;
	set_gone(error);
	return FALSE;
}

guint64
message_size(const struct message *message)
{
	guint64 added = message->stuffed + strlen(".\r\n");

	return message_wire_length(message) - added;
}

gboolean
message_is_8bit(const struct message *message)
{
	return message->is_8bit;
}

guint64
message_wire_length(const struct message *message)
{
	return message->file < 0 ? message->buffer->len : message->in_file;
}

/* Up to BLOCK_SIZE octets of the file into the buffer. */
static gboolean
load(struct message *message, guint64 offset, guint64 left, gsize *ret_length,
    GError **error)
{
	gsize length = (gsize)MIN(left, BLOCK_SIZE);
	gssize count;

	do
		count = pread(message->file, message->buffer->data, length,
		    (off_t)offset);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return set_spool_error(message, g_strerror(errno), error);
	if ((gsize)count < length)
		return set_spool_error(message, "cut short", error);
	*ret_length = length;
	return TRUE;
}

gboolean
message_piece(struct message *message, guint64 offset, const char **data,
    gsize *length, GError **error)
{
	guint64 end = message_wire_length(message);
	guint64 left = end - MIN(offset, end);

	if (message->file < 0) {
		*data = (const char *)message->buffer->data + (end - left);
		*length = left;
		return TRUE;
	}
	if (!load(message, end - left, left, length, error))
		return FALSE;
	*data = (const char *)message->buffer->data;
	return TRUE;
}
