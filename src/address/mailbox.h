/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mailboxes of the envelope: made safe for MAIL FROM and RCPT TO, or refused.
 */
#ifndef SMTPROUTE_MAILBOX_H
#define SMTPROUTE_MAILBOX_H

#include <glib.h>

/*
 * More than RFC 5321 section 4.5.3.1.3 asks for (256); "RCPT TO:<...>" with it
 * is no longer than a line of text may be (1,000 octets, 4.5.3.1.6).
 */
#define MAILBOX_MAX 900

#define MAILBOX_ERROR (mailbox_error_quark())

enum mailbox_error {
	MAILBOX_ERROR_SYNTAX, /* for DSN 5.1.3 */
	MAILBOX_ERROR_UTF8,   /* for DSN 5.6.7: needs SMTPUTF8 */
};

GQuark
mailbox_error_quark(void);

struct mailbox {
	char *path;   /* what stands between < and >: printable ASCII, or of
		       * mailbox_parse_utf8() UTF-8 without control characters */
	char *domain; /* canonical (domain.h), NULL for the null sender */
	char *dsn;    /* parameters to go with it where a host knows DSN, each
		       * with a blank before it; NULL: none */
	gboolean notify_success; /* they ask for a notice of success */
};

/*
 * @text as pipe(8) passes it: local-part, '@', domain.  The last '@' divides,
 * since a local part without flags=q arrives unquoted.  A local part that is
 * neither a dot-string nor a quoted-string (RFC 5321 section 4.1.2) is quoted
 * here; one with a control character is refused.
 */
struct mailbox *
mailbox_parse(const char *text, GError **error);

/*
 * The same for a sender: "" is the null sender, and so are "<>" and, without
 * a domain, MAILER-DAEMON, which is what pipe(8) says without null_sender=.
 * What is no address is taken, too, with whatever domain it has or none,
 * unless it could break the dialogue: control bytes, angle brackets or blanks
 * in the domain, or a domain of more than 255 bytes.
 */
struct mailbox *
mailbox_parse_sender(const char *text, GError **error);

/* Both for a message that may go by SMTPUTF8 (RFC 6531). */
struct mailbox *
mailbox_parse_utf8(const char *text, GError **error);

struct mailbox *
mailbox_parse_sender_utf8(const char *text, GError **error);

/* NULL is taken, too. */
void
mailbox_free(struct mailbox *mailbox);

/* For g_autoptr(), which wants one word. */
typedef struct mailbox Mailbox;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Mailbox, mailbox_free)

#endif
