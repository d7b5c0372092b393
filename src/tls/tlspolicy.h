/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a connection's TLS has to be.  agent/security.h makes it from what is
 * set for the host.
 */
#ifndef SMTPROUTE_TLSPOLICY_H
#define SMTPROUTE_TLSPOLICY_H

#include <glib.h>

#include "conf/tlslevel.h"
#include "dns/tlsa.h"
#include "util/secret.h"

struct tls_sessions; /* tlssessions.h */

/* All strings are the maker's, and live as long as the connection. */
struct tls_policy {
	enum tls_level level;
	gboolean for_auth;    /* raised, so that credentials are not in clear */
	gboolean examine;     /* verify, but go on whatever comes of it */
	guint16 port;         /* the host's */
	const char *sni;      /* NULL: an address, which has none */
	const char *expected; /* whom the certificate has to name */
	const char *also;     /* or this one; NULL: no other */
	const char *ca_file;  /* NULL: the system's authorities */
	const char *cert_file; /* ours; NULL: none */
	const char *key_file; /* for it, never NULL then; and who may read it */
	enum secret_modes secret_modes;
	const char *ciphers;         /* for TLS 1.2 and less; NULL: OpenSSL's */
	int min_protocol;            /* TLS1_2_VERSION, ... */
	const struct tlsa_set *tlsa; /* with TLS_DANE; NULL: none */
	struct tls_sessions *sessions; /* to be resumed; NULL: none is */
	const char *session_id;        /* of these; all of the above is in it */
};

/* Must the chain of certificates be verified? */
gboolean
tls_policy_enforces_chain(const struct tls_policy *policy);

/* Is it, whatever comes of it? */
gboolean
tls_policy_verifies_chain(const struct tls_policy *policy);

/* Is there no going on without TLS? */
gboolean
tls_policy_is_required(const struct tls_policy *policy);

/*
 * Does nobody begin with TLS at this port, although hosts expect it there (RFC
 * 8314 section 7.3), and say nothing before?
 */
gboolean
tls_policy_wants_wrapper(const struct tls_policy *policy);

/*
 * May the session go on in clear text after a refusal of STARTTLS with this
 * code?
 */
gboolean
tls_policy_forgives(const struct tls_policy *policy, int code);

/* "not offered, but ...", for where TLS is required.  A new string. */
char *
tls_policy_not_offered(const struct tls_policy *policy);

#endif
