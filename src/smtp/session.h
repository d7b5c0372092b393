/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libESMTP, driving one SMTP session: it runs in a thread of its own, at one
 * end of a socket pair, and takes the other end for the server.  Its commands
 * come out here as it writes them; what it is told makes it go on.
 */
#ifndef SMTPROUTE_SESSION_H
#define SMTPROUTE_SESSION_H

#include <glib.h>

#include "address/mailbox.h"
#include "conf/credentials.h"

#define SESSION_ERROR (session_error_quark())

enum session_error {
	SESSION_ERROR_FAILED, /* no memory, no thread, no descriptor */
};

GQuark
session_error_quark(void);

struct session;

/*
 * Starts a session for one message.  It waits for the greeting.
 *
 * @recipients: of struct mailbox; @size: for MAIL's SIZE parameter;
 * @credentials: with a password, for AUTH where it is told of it, NULL: none;
 * they must outlive the session.
 */
struct session *
session_start(const char *helo_name, const struct mailbox *sender,
    const GPtrArray *recipients, guint64 size,
    const struct credentials *credentials, GError **error);

/*
 * The next command with its CRLF, a new string, which with AUTH is a secret;
 * NULL: libESMTP has ended, or @deadline has passed.
 */
char *
session_command(struct session *session, gint64 deadline);

/* Has it written another command already? */
gboolean
session_has_command(const struct session *session);

/*
 * Gives it @text for a server's reply, at the latest while it is waited for.
 * FALSE: it has ended.
 */
gboolean
session_tell(struct session *session, const char *text);

/*
 * Gives it a reply with this code and no text.  A code that ends the
 * transaction makes it say QUIT.
 */
gboolean
session_tell_code(struct session *session, int code);

/*
 * Gives it replies to all that it has still to say of the message, the content
 * included, and so has it say that at once: each time that it waits for one
 * costs two changes between its thread and this.  It is kept (session_keep()).
 * FALSE: it has ended.
 */
gboolean
session_answer(struct session *session, const char *answers);

/*
 * After the message under way it waits for session_next() (@keep), or says
 * QUIT.
 */
void
session_keep(struct session *session, gboolean keep);

/*
 * The next message, once libESMTP has been told that the one before was sent:
 * it begins with MAIL.  @answers: as for session_answer(), NULL: it is told as
 * it goes on.  FALSE: it cannot.
 */
gboolean
session_next(struct session *session, const struct mailbox *sender,
    const GPtrArray *recipients, guint64 size, gboolean eightbitmime,
    const char *answers);

/* MAIL shall say BODY=8BITMIME.  Only while it waits for EHLO's reply. */
void
session_use_8bitmime(struct session *session);

/*
 * Throws away what it writes after DATA, its own header and the final dot.
 * FALSE: that did not come until @deadline.
 */
gboolean
session_swallow_content(struct session *session, gint64 deadline);

/* Ends it, wherever it is. */
void
session_free(struct session *session);

typedef struct session Session;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Session, session_free)

#endif
