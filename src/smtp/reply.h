/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server's reply (RFC 5321 section 4.2): framed and bounded here, before
 * anybody believes it.
 */
#ifndef SMTPROUTE_REPLY_H
#define SMTPROUTE_REPLY_H

#include <glib.h>

/*
 * Octets of one reply.  RFC 5321 section 4.5.3.1.5 has 512 for a line and no
 * limit for a reply; no honest server comes near this.
 */
#define REPLY_MAX (64 * 1024)

/* Room for an enhanced status code (RFC 3463): "5.123.456" and NUL. */
#define DSN_SIZE 10

#define REPLY_ERROR (reply_error_quark())

enum reply_error {
	REPLY_ERROR_SYNTAX,
	REPLY_ERROR_SIZE,
};

GQuark
reply_error_quark(void);

struct reply {
	int code;           /* 200..599 */
	char dsn[DSN_SIZE]; /* the first enhanced code of the code's class,
			     * "" if there is none */
	GPtrArray *lines;   /* of char *: what follows the code, at least one;
			     * NUL bytes are '?', else as the server sent it */
};

/*
 * The text of all lines as one, without the enhanced codes that only repeat
 * the first line's.  A new string, not printable yet.
 */
char *
reply_text(const struct reply *reply);

/* Adds @code, of three digits as all replies have it, to @text. */
void
reply_append_code(GString *text, int code);

void
reply_free(struct reply *reply);

typedef struct reply Reply;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reply, reply_free)

/*
 * The enhanced status code that @text begins with, if it is one of class
 * @class ('2', '4' or '5').
 */
gboolean
dsn_parse(const char *text, char class, char ret[DSN_SIZE]);

struct reply_reader;

struct reply_reader *
reply_reader_new(void);

/* Adds what was read from the server. */
void
reply_reader_add(struct reply_reader *reader, const char *data, gsize length);

/*
 * Takes the first whole reply out, and the empty lines before it, which count
 * as its octets.  NULL without an error: more is needed.  NULL with
 * REPLY_ERROR: what stands there is no reply, and never will be.
 */
struct reply *
reply_reader_take(struct reply_reader *reader, GError **error);

/* Is anything there that was not taken, other than empty lines? */
gboolean
reply_reader_pending(struct reply_reader *reader);

/*
 * Has nothing at all come since the last reply, not even an empty line, which
 * reply_reader_pending() does not count?
 */
gboolean
reply_reader_is_clean(const struct reply_reader *reader);

void
reply_reader_free(struct reply_reader *reader);

typedef struct reply_reader ReplyReader;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReplyReader, reply_reader_free)

#endif
