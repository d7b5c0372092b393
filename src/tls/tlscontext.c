/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "tls/tlscontext.h"

/* With so many, a folder has the system's authorities. */
#define HASHED_ENOUGH 20

G_DEFINE_QUARK(smtproute_tls_error, tls_error)

const char *
tls_context_reason(void)
{
	unsigned long code = ERR_peek_error();
	const char *reason = NULL;

	if (code != 0 && ERR_SYSTEM_ERROR(code))
		reason = g_strerror(ERR_GET_REASON(code));
	else if (code != 0)
		reason = ERR_reason_error_string(code);
	return reason != NULL ? reason : "unknown reason";
}

gboolean
tls_context_fail(const char *what, GError **error)
{
	g_set_error(error, TLS_ERROR, TLS_ERROR_LOCAL, "%s: %s", what,
	    tls_context_reason());
	return FALSE;
}

/*
 * How many files of the form "01234567.0" are there, as openssl-rehash(1)
 * makes them?  Not more than @enough are counted.
 */
static guint
count_hashed_files(const char *path, guint enough)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;
	guint count = 0;

	while (dir != NULL && count < enough &&
	    (name = g_dir_read_name(dir)) != NULL) {
		if (strspn(name, "0123456789abcdef") == 8 && name[8] == '.')
			count++;
	}
	return count;
}

static const char *
env_or(const char *variable, const char *otherwise)
{
	const char *value = g_getenv(variable);

	return value != NULL ? value : otherwise;
}

/*
 * A file with all authorities of the world takes longer to read than the rest
 * of a delivery; a folder with a file for each is asked for the one it takes.
 * A few files there are not the system's authorities, but somebody's own.
 */
static gboolean
load_system_authorities(SSL_CTX *context, GError **error)
{
	const char *dir = env_or(X509_get_default_cert_dir_env(),
	    X509_get_default_cert_dir());
	const char *file = env_or(X509_get_default_cert_file_env(),
	    X509_get_default_cert_file());
	guint hashed = count_hashed_files(dir, HASHED_ENOUGH);
	gboolean bundled = hashed < HASHED_ENOUGH && access(file, R_OK) == 0;

	if (hashed == 0 && !bundled) {
		g_set_error(error, TLS_ERROR, TLS_ERROR_LOCAL,
		    "the system has no CA certificates (%s, %s)", dir, file);
		return FALSE;
	}
	if ((hashed > 0 && SSL_CTX_set_default_verify_dir(context) != 1) ||
	    (bundled && SSL_CTX_set_default_verify_file(context) != 1))
		return tls_context_fail("the system's CA certificates", error);
	return TRUE;
}

static gboolean
load_authorities(SSL_CTX *context, const char *ca_file, GError **error)
{
	g_autofree char *what = NULL;

	if (ca_file == NULL)
		return load_system_authorities(context, error);
	if (SSL_CTX_load_verify_file(context, ca_file) == 1)
		return TRUE;
	what = g_strdup_printf("tls-ca-file %s", ca_file);
	return tls_context_fail(what, error);
}

/* Without a certificate nobody is verified, whatever the mode says. */
static gboolean
set_ciphers(SSL_CTX *context, const char *ciphers)
{
	g_autofree char *list = g_strconcat(ciphers, ":!aNULL:!eNULL", NULL);

	return SSL_CTX_set_cipher_list(context, list) == 1;
}

/* Nobody is there to be asked for one. */
static int
no_passphrase(char *buffer G_GNUC_UNUSED, int size G_GNUC_UNUSED,
    int writing G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
	return -1;
}

/* A key is a secret like any other. */
static EVP_PKEY *
read_key(const struct tls_policy *policy, GError **error)
{
	g_autoptr(GError) reason = NULL;
	g_autofree char *what = NULL;
	EVP_PKEY *key;
	FILE *file;
	int fd = secret_open(policy->key_file, policy->secret_modes, &reason);

	if (fd < 0) {
		g_set_error(error, TLS_ERROR, TLS_ERROR_LOCAL,
		    "tls-key-file %s", reason->message);
		return NULL;
	}
	secret_protect();
	file = fdopen(fd, "r");
	g_assert(file != NULL); /* for want of memory */
	key = PEM_read_PrivateKey(file, NULL, no_passphrase, NULL);
	fclose(file);
	if (key == NULL) {
		what = g_strdup_printf("tls-key-file %s", policy->key_file);
		tls_context_fail(what, error);
	}
	return key;
}

/* Ours, for a host that asks for it. */
static gboolean
load_certificate(SSL_CTX *context, const struct tls_policy *policy,
    GError **error)
{
	g_autofree char *cert =
	    g_strdup_printf("tls-cert-file %s", policy->cert_file);
	g_autofree char *pair =
	    g_strdup_printf("tls-key-file %s", policy->key_file);
	EVP_PKEY *key;
	gboolean fits;

	if (SSL_CTX_use_certificate_chain_file(context, policy->cert_file) != 1)
		return tls_context_fail(cert, error);
	key = read_key(policy, error);
	if (key == NULL)
		return FALSE;
	fits = SSL_CTX_use_PrivateKey(context, key) == 1;
	EVP_PKEY_free(key);
	return fits || tls_context_fail(pair, error);
}

static gboolean
set_context(SSL_CTX *context, const struct tls_policy *policy, GError **error)
{
	SSL_CTX_set_mode(context,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* Records without content, sent for ever, must not hold up a call. */
	SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
	/* Who closes without saying so has closed: replies have their ends. */
	SSL_CTX_set_options(context,
	    SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
	if (SSL_CTX_set_min_proto_version(context, policy->min_protocol) != 1)
		return tls_context_fail("tls-min-protocol", error);
	if (policy->ciphers != NULL && !set_ciphers(context, policy->ciphers))
		return tls_context_fail("tls-ciphers", error);
	if (policy->cert_file != NULL &&
	    !load_certificate(context, policy, error))
		return FALSE;
	return !tls_policy_verifies_chain(policy) ||
	    load_authorities(context, policy->ca_file, error);
}

struct ssl_ctx_st *
tls_context_new(const struct tls_policy *policy, GError **error)
{
	SSL_CTX *context;

	ERR_clear_error();
	context = SSL_CTX_new(TLS_client_method());
	if (context == NULL) {
		tls_context_fail("OpenSSL", error);
		return NULL;
	}
	if (set_context(context, policy, error))
		return context;
	SSL_CTX_free(context);
	return NULL;
}

gboolean
tls_context_check_certificate(const char *cert_file, const char *key_file,
    enum secret_modes modes, GError **error)
{
	const struct tls_policy policy = {
	    .level = TLS_ENCRYPT,
	    .cert_file = cert_file,
	    .key_file = key_file != NULL ? key_file : cert_file,
	    .secret_modes = modes,
	    .min_protocol = TLS1_2_VERSION,
	};
	SSL_CTX *context = tls_context_new(&policy, error);

	SSL_CTX_free(context);
	return context != NULL;
}

gboolean
tls_context_check(const char *ca_file, const char *ciphers, GError **error)
{
	const struct tls_policy policy = {
	    .level = ca_file != NULL ? TLS_SECURE : TLS_ENCRYPT,
	    .ca_file = ca_file,
	    .ciphers = ciphers,
	    .min_protocol = TLS1_2_VERSION,
	};
	SSL_CTX *context = tls_context_new(&policy, error);

	SSL_CTX_free(context);
	return context != NULL;
}
