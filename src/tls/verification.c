/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "address/endpoint.h"
#include "tls/tlscontext.h"
#include "tls/verification.h"

/* Whom it has to be, for OpenSSL's own check of the SANs (RFC 6125). */
static gboolean
set_names(SSL *ssl, const struct tls_policy *policy, GError **error)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	SSL_set_hostflags(ssl,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
		X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (endpoint_is_address(policy->expected)) {
		if (X509_VERIFY_PARAM_set1_ip_asc(param, policy->expected) != 1)
			return tls_context_fail(policy->expected, error);
		return TRUE;
	}
	if (SSL_set1_host(ssl, policy->expected) != 1)
		return tls_context_fail(policy->expected, error);
	if (policy->also != NULL && SSL_add1_host(ssl, policy->also) != 1)
		return tls_context_fail(policy->also, error);
	return TRUE;
}

/* TRUE also if OpenSSL finds none of the records usable. */
static gboolean
set_dane(struct verification *verification, SSL_CTX *context, SSL *ssl,
    const struct tls_policy *policy, GError **error)
{
	const GPtrArray *records = policy->tlsa->records;

	if (SSL_CTX_dane_enable(context) != 1 ||
	    SSL_dane_enable(ssl, policy->sni) != 1)
		return tls_context_fail("DANE", error);
	/* RFC 7672 section 3.1.1: the record alone vouches for DANE-EE. */
	SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	for (guint i = 0; i < records->len; i++) {
		const struct tlsa *record = g_ptr_array_index(records, i);
		gsize length;
		const unsigned char *data =
		    g_bytes_get_data(record->data, &length);

		int added = SSL_dane_tlsa_add(ssl, record->usage,
		    record->selector, record->matching, data, length);

		if (added < 0)
			return tls_context_fail("DANE", error);
		if (added > 0)
			verification->dane = TRUE;
	}
	ERR_clear_error();
	return TRUE;
}

gboolean
verification_set_up(struct verification *verification,
    struct ssl_ctx_st *context, struct ssl_st *ssl,
    const struct tls_policy *policy, GError **error)
{
	verification->ssl = ssl;
	if (policy->tlsa != NULL && policy->tlsa->records->len > 0 &&
	    !set_dane(verification, context, ssl, policy, error))
		return FALSE;
	if ((verification->dane || tls_policy_verifies_chain(policy)) &&
	    !set_names(ssl, policy, error))
		return FALSE;
	verification->enforced =
	    verification->dane || tls_policy_enforces_chain(policy);
	SSL_set_verify(ssl,
	    verification->enforced && !policy->examine ? SSL_VERIFY_PEER
						       : SSL_VERIFY_NONE,
	    NULL);
	return TRUE;
}

/* What the verification found; NULL: nothing wrong. */
static char *
failure_of(const SSL *ssl, const struct tls_policy *policy)
{
	long result = SSL_get_verify_result(ssl);
	const char *reason = X509_verify_cert_error_string(result);

	if (result == X509_V_OK)
		return NULL;
	if (result != X509_V_ERR_HOSTNAME_MISMATCH &&
	    result != X509_V_ERR_IP_ADDRESS_MISMATCH)
		return g_strdup(reason);
	return g_strdup_printf("%s (expected %s%s%s)", reason, policy->expected,
	    policy->also != NULL ? " or " : "",
	    policy->also != NULL ? policy->also : "");
}

char *
verification_reason(const struct verification *verification,
    const struct tls_policy *policy)
{
	if (!verification->dane && !tls_policy_verifies_chain(policy))
		return NULL;
	return failure_of(verification->ssl, policy);
}

/*
 * OpenSSL has verified what the mode tells it to, and nothing if the peer has
 * no certificate, so this looks again.  NULL: it is who it has to be.
 */
char *
verification_failure(const struct verification *verification,
    const struct tls_policy *policy)
{
	if (!verification->enforced && !policy->examine)
		return NULL;
	if (SSL_get0_peer_certificate(verification->ssl) == NULL)
		return g_strdup("no certificate");
	if (verification->dane &&
	    SSL_get_verify_result(verification->ssl) == X509_V_OK &&
	    SSL_get0_dane_tlsa(verification->ssl, NULL, NULL, NULL, NULL,
		NULL) < 0)
		return g_strdup("no TLSA record matches");
	return failure_of(verification->ssl, policy);
}

char *
verification_describe(const struct verification *verification,
    const struct tls_policy *policy)
{
	const char *name = SSL_get0_peername(verification->ssl);
	guint8 usage;
	guint8 selector;
	guint8 matching;

	if (verification->dane &&
	    SSL_get0_dane_tlsa(verification->ssl, &usage, &selector, &matching,
		NULL, NULL) >= 0)
		return g_strdup_printf("verified by TLSA %u %u %u", usage,
		    selector, matching);
	if (policy->level == TLS_DANE)
		return g_strdup_printf("not verified (%s)",
		    policy->tlsa != NULL ? policy->tlsa->absence
					 : "no TLSA records");
	if (tls_policy_verifies_chain(policy))
		return g_strdup_printf("verified as %s",
		    name != NULL ? name : policy->expected);
	return g_strdup_printf("not verified (tls=%s)",
	    tls_level_name(policy->for_auth ? TLS_MAY : policy->level));
}
