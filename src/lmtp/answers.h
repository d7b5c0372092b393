/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replies to an LMTP client, sent together where it can wait for them
 * (PIPELINING, RFC 2920 section 3.2).
 */
#ifndef SMTPROUTE_ANSWERS_H
#define SMTPROUTE_ANSWERS_H

#include <glib.h>

struct answers;

/* @fd: non-blocking; stays the caller's. */
struct answers *
answers_new(int fd);

/* One line: the code, and @text, which begins with an enhanced code. */
void
answers_add(struct answers *answers, int code, const char *text);

/* The same, with lines before the last one; ends with NULL. */
void
answers_add_lines(struct answers *answers, int code, const char *const *texts);

/*
 * Sends what was added.  FALSE: the client has not read it for a minute, or
 * is gone; then nothing more is sent.
 */
gboolean
answers_flush(struct answers *answers);

void
answers_free(struct answers *answers);

typedef struct answers Answers;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Answers, answers_free)

#endif
