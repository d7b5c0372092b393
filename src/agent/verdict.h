/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verdicts: what Postfix is told about the whole call.
 */
#ifndef SMTPROUTE_VERDICT_H
#define SMTPROUTE_VERDICT_H

#include <glib.h>

#include "smtp/reply.h"

enum verdict_kind {
	VERDICT_DEFER, /* zero: a forgotten field defers */
	VERDICT_BOUNCE,
	VERDICT_DELIVERED,
};

struct verdict {
	enum verdict_kind kind;
	char dsn[DSN_SIZE]; /* the verdict's class; anything else defers */
	char *text;         /* NULL: nothing was said, which defers */
	char *note;         /* for the line's end; NULL: none */
};

/*
 * pipe(8) keeps 4,096 bytes (Postfix's global/pipe_command.c), the code
 * included.
 */
#define VERDICT_LINE_MAX 4000

void
verdict_set(struct verdict *verdict, enum verdict_kind kind, const char *dsn,
    const char *format, ...) G_GNUC_PRINTF(4, 5);

/*
 * Several recipients in one call got different answers: pipe(8) can report
 * only one, so nothing was sent and the call defers.  @why says more.
 */
void
verdict_set_mixed(struct verdict *verdict, const char *why);

/*
 * Bounces for an address that cannot be put on the wire, which will not improve
 * by waiting.  @which: "sender" or "recipient"; @error: MAILBOX_ERROR.
 */
void
verdict_refuse_address(struct verdict *verdict, const char *which,
    const GError *error);

/*
 * Something that the administrator should know, whatever the verdict: @text in
 * parentheses, at the line's end.  It stays with a verdict that is set later.
 */
void
verdict_note(struct verdict *verdict, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/*
 * The one line for Postfix: code, blank, text, note; printable ASCII, no line
 * end. Whatever is wrong with @verdict, the line is one that defers.  A new
 * string.
 */
char *
verdict_line(const struct verdict *verdict);

/* The exit status, of sysexits.h, that agrees with verdict_line(). */
int
verdict_status(const struct verdict *verdict);

void
verdict_clear(struct verdict *verdict);

#endif
