/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What OpenSSL is set up with before there is a connection: protocol, ciphers,
 * authorities.
 */
#ifndef SMTPROUTE_TLSCONTEXT_H
#define SMTPROUTE_TLSCONTEXT_H

#include <glib.h>

#include "tls/tlspolicy.h"

#define TLS_ERROR (tls_error_quark())

enum tls_error {
	TLS_ERROR_HANDSHAKE, /* no TLS came about */
	TLS_ERROR_CLEAR,     /* the same: what it says is not TLS */
	TLS_ERROR_VERIFY,    /* it is not who it must be */
	TLS_ERROR_TIMEOUT,   /* the caller knows which deadline it was */
	TLS_ERROR_LOCAL,     /* trouble on our side: settings, files, memory */
};

GQuark
tls_error_quark(void);

/* A new one, or NULL with TLS_ERROR_LOCAL. */
struct ssl_ctx_st *
tls_context_new(const struct tls_policy *policy, GError **error);

/*
 * Can TLS be done with these, as settings have them?  NULL: not set; then
 * nothing is read.  FALSE with TLS_ERROR_LOCAL, which names the setting.
 */
gboolean
tls_context_check(const char *ca_file, const char *ciphers, GError **error);

/* The same for a certificate of ours; @key_file NULL: it has the key too. */
gboolean
tls_context_check_certificate(const char *cert_file, const char *key_file,
    enum secret_modes modes, GError **error);

/* TLS_ERROR_LOCAL: @what and OpenSSL's reason.  For the caller to return. */
gboolean
tls_context_fail(const char *what, GError **error);

/*
 * OpenSSL's words for what went wrong first; what follows in its queue are
 * consequences.
 */
const char *
tls_context_reason(void);

#endif
