/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verification of who the peer is: what OpenSSL is told of it before the
 * handshake, and what came of it.
 */
#ifndef SMTPROUTE_VERIFICATION_H
#define SMTPROUTE_VERIFICATION_H

#include <glib.h>

#include "tls/tlspolicy.h"

struct ssl_ctx_st;
struct ssl_st;

struct verification {
	struct ssl_st *ssl; /* the connection's, which outlives it */
	gboolean dane;      /* records are enforced */
	gboolean enforced;  /* they or the chain, and the name */
};

/* FALSE with TLS_ERROR_LOCAL. */
gboolean
verification_set_up(struct verification *verification,
    struct ssl_ctx_st *context, struct ssl_st *ssl,
    const struct tls_policy *policy, GError **error);

/* Why the handshake has failed; a new string.  NULL: not by verification. */
char *
verification_reason(const struct verification *verification,
    const struct tls_policy *policy);

/* After the handshake.  NULL: it is who it has to be; or a new string. */
char *
verification_failure(const struct verification *verification,
    const struct tls_policy *policy);

/* "verified as mx.example.com", or why it was not; a new string. */
char *
verification_describe(const struct verification *verification,
    const struct tls_policy *policy);

#endif
