/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS over a connected socket, by OpenSSL: handshake, verification, I/O.
 *
 * A session without TLS does not touch OpenSSL, and certificates of
 * authorities are read only where something is verified by them.
 */
#ifndef SMTPROUTE_TLS_H
#define SMTPROUTE_TLS_H

#include <sys/types.h>

#include <glib.h>

#include "tls/tlscontext.h"

struct tls;

/*
 * The handshake on @fd, a non-blocking socket that stays the caller's, until
 * @deadline.  What the policy demands holds when this returns.
 */
struct tls *
tls_connect(int fd, const struct tls_policy *policy, gint64 deadline,
    GError **error);

/*
 * As recv(2) and send(2) on a non-blocking socket.  After -1 with EAGAIN
 * tls_events() says what to poll(2) for; it may come again and again, for
 * records that have no content.
 */
ssize_t
tls_read(struct tls *tls, char *buffer, gsize size);

ssize_t
tls_write(struct tls *tls, const char *data, gsize length);

short
tls_events(const struct tls *tls);

/* Why it has failed with EPROTO, in OpenSSL's words; NULL: it has not. */
const char *
tls_reason(const struct tls *tls);

/*
 * The alert by which the peer has ended TLS, in OpenSSL's words; NULL: it has
 * not.  With TLS 1.3 a host that wants a certificate of ours says so after the
 * handshake, as far as we see it (RFC 8446 section 4.4.2.4).
 */
const char *
tls_alert(const struct tls *tls);

/* Is there anything to read, or the end, that poll(2) does not know of? */
gboolean
tls_has_pending(const struct tls *tls);

/* Is there anything to read, or has the peer closed?  Does not wait. */
gboolean
tls_has_spoken(struct tls *tls);

/*
 * "protocol TLSv1.3 cipher TLS_AES_256_GCM_SHA384 verified as mx1.example.com"
 * for the log, or why it was not verified.
 */
const char *
tls_description(const struct tls *tls);

/* Does the policy insist on who the peer is? */
gboolean
tls_is_enforced(const struct tls *tls);

/*
 * What verification said: NULL, or why it failed.  With policy->examine only;
 * else what failed has no struct tls.
 */
const char *
tls_verify_failure(const struct tls *tls);

/* The peer's, NULL if it has none; belongs to @tls. */
struct x509_st *
tls_certificate(const struct tls *tls);

/* Says goodbye, without waiting for an answer. */
void
tls_free(struct tls *tls);

typedef struct tls Tls;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tls, tls_free)

#endif
