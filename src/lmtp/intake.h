/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an LMTP client says: lines, and between them a message's content.
 */
#ifndef SMTPROUTE_INTAKE_H
#define SMTPROUTE_INTAKE_H

#include <glib.h>

#include "smtp/message.h"

/*
 * Of a command with its end.  RFC 5321 section 4.5.3.1.4 has 512, and DSN
 * (RFC 3461 section 5) and the longest mailbox that we take come on top.
 */
#define INTAKE_LINE_MAX 4096

enum intake_result {
	INTAKE_END, /* zero: the client is gone, or cannot be read */
	INTAKE_LATE,
	INTAKE_LINE,
	INTAKE_LONG, /* a line over INTAKE_LINE_MAX, which was skipped */
	INTAKE_LOST, /* the content cannot be kept, and was read to its end */
};

struct intake;

/* @fd stays the caller's. */
struct intake *
intake_new(int fd);

/*
 * The next line without its end, which is LF with or without CR; it stays
 * valid until the next call.  NUL bytes of it are '?': no command has any.
 * INTAKE_LATE: @deadline has passed; half a line is kept for the next call.
 */
enum intake_result
intake_line(struct intake *intake, gint64 deadline, const char **line);

/*
 * After DATA: the content up to CRLF.CRLF, dots undoubled (RFC 5321 section
 * 4.5.2), into @message, and ends it.  Nothing else is an end of it: a dot
 * after or before a bare LF or CR is content (SMTP smuggling).
 *
 * INTAKE_LINE: it is whole; INTAKE_LOST: it had its end, but *error says why
 * @message cannot be used; else there was no end, and nothing came.
 */
enum intake_result
intake_content(struct intake *intake, struct message *message, gint64 deadline,
    GError **error);

/* Has it read a line that was not taken yet? */
gboolean
intake_has_line(const struct intake *intake);

/*
 * Of the lines that were read and not taken yet: is @word, in any case, the
 * first one that does not begin with @skipped?
 */
gboolean
intake_follows(const struct intake *intake, const char *skipped,
    const char *word);

void
intake_free(struct intake *intake);

typedef struct intake Intake;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Intake, intake_free)

#endif
