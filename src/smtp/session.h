/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libESMTP, driving an SMTP session with one message.  Its server is this
 * program (seam.h): what it writes is heard at once, and what it is told then
 * is there when it comes to read.  So it runs in its caller's thread, and never
 * waits.
 */
#ifndef SMTPROUTE_SESSION_H
#define SMTPROUTE_SESSION_H

#include <glib.h>

#include "address/mailbox.h"
#include "conf/credentials.h"

#define SESSION_ERROR (session_error_quark())

enum session_error {
	SESSION_ERROR_FAILED, /* no memory */
};

GQuark
session_error_quark(void);

struct session;

/*
 * @line: a command, or its next line within AUTH, with its CRLF; with
 * credentials a secret.  DATA is to be refused, whatever the host says:
 * libESMTP has no content, and would make a header for it.
 */
typedef void (*session_said)(const char *line, void *data);

/* The place of one message after the other. */
struct session *
session_new(void);

/*
 * The next message.  @recipients: of struct mailbox; @credentials: with a
 * password, for AUTH where it is told of it, NULL: none; they must stay until
 * it has run.  The sender that its MAIL names is the null one.
 */
gboolean
session_begin(struct session *session, const char *helo_name,
    const GPtrArray *recipients, const struct credentials *credentials,
    GError **error);

/*
 * Gives it @text for a server's replies: the greeting and what else is known
 * before it runs, the others within session_said at the latest.
 */
void
session_tell(struct session *session, const char *text);

/*
 * Gives it a reply with this code and no text.  A code that ends the
 * transaction makes it say QUIT.
 */
void
session_tell_code(struct session *session, int code);

/* Refuses whatever it has still to say, until it has said QUIT. */
void
session_refuse(struct session *session);

/*
 * Runs it from the greeting to the message's end, which is after QUIT unless it
 * could not begin, or was told nonsense.
 */
void
session_run(struct session *session, session_said said, void *data);

/* Within session_said: has it another line there already? */
gboolean
session_has_more(const struct session *session);

void
session_free(struct session *session);

typedef struct session Session;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Session, session_free)

#endif
