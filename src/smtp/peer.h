/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection with a host: commands and content out, whole replies in, each
 * with a deadline.
 */
#ifndef SMTPROUTE_PEER_H
#define SMTPROUTE_PEER_H

#include <glib.h>

#include "smtp/message.h"
#include "smtp/reply.h"
#include "smtp/transcript.h"
#include "tls/tls.h"

#define PEER_ERROR (peer_error_quark())

enum peer_error {
	PEER_ERROR_LOST,     /* closed or reset */
	PEER_ERROR_TIMEOUT,  /* the caller knows which deadline it was */
	PEER_ERROR_NONSENSE, /* it does not speak SMTP */
	PEER_ERROR_SPOKE,    /* a reply before its time */
};

GQuark
peer_error_quark(void);

struct peer;

/* @fd: a non-blocking socket, which stays the caller's. */
struct peer *
peer_new(int fd);

/*
 * From here on all goes through TLS.  PEER_ERROR_SPOKE: the host has said
 * something before its time, which must not count afterwards (RFC 3207
 * section 6); PEER_ERROR_TIMEOUT; other errors are TLS_ERROR's.
 */
gboolean
peer_start_tls(struct peer *peer, const struct tls_policy *policy,
    gint64 deadline, GError **error);

/* From now on *transcript, which stays the caller's, has what is said. */
void
peer_transcribe(struct peer *peer, struct transcript *transcript);

/* NULL: it is in clear text. */
const struct tls *
peer_tls(const struct peer *peer);

/* Sends all of @data. */
gboolean
peer_send(struct peer *peer, const char *data, gsize length, gint64 deadline,
    GError **error);

/*
 * Sends the content with its final dot; no write may take longer than @span
 * microseconds.  PEER_ERROR_SPOKE: the host has said something before its
 * end, which peer_reply() then returns.  MESSAGE_ERROR: the content is not to
 * be had, or must not end.  In both cases, and if the connection is lost, the
 * final dot has not been sent.
 */
gboolean
peer_send_content(struct peer *peer, struct message *message, gint64 span,
    gint64 deadline, GError **error);

/* The next reply, whole, however slowly its bytes arrive. */
struct reply *
peer_reply(struct peer *peer, gint64 deadline, GError **error);

/*
 * Has the host sent anything that no peer_reply() took, other than empty lines,
 * or closed?  Where no command waits for a reply it must not have.
 */
gboolean
peer_has_spoken(struct peer *peer);

/*
 * After peer_reply() has failed: TRUE if it is certain that the host has not
 * read all that was sent.  Then it never will: the connection is reset.
 */
gboolean
peer_take_back(struct peer *peer);

void
peer_free(struct peer *peer);

typedef struct peer Peer;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Peer, peer_free)

#endif
