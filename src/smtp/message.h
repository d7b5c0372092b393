/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The message's content, read once and kept as DATA sends it: line ends are
 * CRLF, leading dots are doubled (RFC 5321 section 4.5.2), CRLF.CRLF ends it.
 * A CR that no LF follows becomes a space (SMTP smuggling); nothing else of
 * what Postfix handed over is touched.
 */
#ifndef SMTPROUTE_MESSAGE_H
#define SMTPROUTE_MESSAGE_H

#include <glib.h>

/* More than this goes to an unlinked file. */
#define MESSAGE_MEMORY_MAX (256 * 1024)

#define MESSAGE_ERROR (message_error_quark())

enum message_error {
	MESSAGE_ERROR_INPUT, /* reading it failed, or took too long */
	MESSAGE_ERROR_SPOOL, /* keeping it failed */
	MESSAGE_ERROR_GONE,  /* who hands it over has ended: caller.h */
};

GQuark
message_error_quark(void);

struct message;

/* An empty one, to be filled piece by piece, and ended. */
struct message *
message_new(const char *spool_directory);

/* What one piece may have at most: what a pipe holds on Linux. */
#define MESSAGE_PIECE_MAX (64 * 1024)

/*
 * Adds the next @length octets.  Small pieces cost a small write(2) each,
 * once there is a file.  FALSE with MESSAGE_ERROR_SPOOL: it cannot be used.
 */
gboolean
message_add(struct message *message, const char *data, gsize length,
    GError **error);

/* Nothing is to come.  FALSE with MESSAGE_ERROR_SPOOL: it cannot be used. */
gboolean
message_end(struct message *message, GError **error);

/*
 * Reads @fd to its end, which is the message's only if it is no accident.  NULL
 * with MESSAGE_ERROR.
 */
struct message *
message_read(int fd, const char *spool_directory, gint64 deadline,
    GError **error);

/* Octets as SIZE counts them (RFC 1870 section 5): CRLF, undoubled dots. */
guint64
message_size(const struct message *message);

/* Has it bytes above 127? */
gboolean
message_is_8bit(const struct message *message);

/* Octets that DATA sends, the final CRLF.CRLF included. */
guint64
message_wire_length(const struct message *message);

/*
 * Whether the final dot may leave: to be asked right before.  FALSE with
 * MESSAGE_ERROR_GONE.
 */
gboolean
message_may_end(GError **error);

/*
 * A piece of what DATA sends, beginning at @offset: *data and *length, which
 * is at least 1 for an offset before the end.  *data stays valid until the
 * next call.
 */
gboolean
message_piece(struct message *message, guint64 offset, const char **data,
    gsize *length, GError **error);

/*
 * Empties it for another one, which need not ask for memory again.  A file of
 * it is closed, and so is gone.
 */
void
message_empty(struct message *message);

void
message_free(struct message *message);

/* For g_autoptr(), which wants one word. */
typedef struct message Message;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Message, message_free)

#endif
