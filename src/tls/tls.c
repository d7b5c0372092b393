/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <poll.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tls/tls.h"
#include "tls/tlssessions.h"
#include "tls/verification.h"
#include "util/deadline.h"
#include "util/quickack.h"

/* Records without content that an honest peer sends in a row. */
#define EMPTY_RECORDS_MAX 32

/* More than an honest handshake reads at once: two for each record. */
#define READS_MAX 64

struct tls {
	SSL_CTX *context;
	SSL *ssl;
	short events;
	gboolean broken;               /* no goodbye */
	struct tls_sessions *sessions; /* to keep it in; NULL: in none */
	char *session_id;
	struct verification verification;
	char *description;
	char *failure;  /* of the verification */
	char *reason;   /* why it is broken */
	gboolean alert; /* that is the peer's word */
	guint reads;    /* left to this call */
};

/* SSL_set_tlsext_host_name() without the cast that drops const. */
static long
set_sni(SSL *ssl, const char *name)
{
	return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
	    TLSEXT_NAMETYPE_host_name, (void *)(guintptr)name);
}

/*
 * What OpenSSL ignores it reads for as long as there is any, HelloRequests for
 * one; so that deadlines count, it is told now and then that there is none.
 */
static long
limit_reads(BIO *bio, int operation, const char *data G_GNUC_UNUSED,
    size_t size G_GNUC_UNUSED, int argi G_GNUC_UNUSED, long argl G_GNUC_UNUSED,
    int result, size_t *done G_GNUC_UNUSED)
{
	guint *left = (guint *)(void *)BIO_get_callback_arg(bio);

	if (operation != BIO_CB_READ)
		return result;
	if (*left == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	--*left;
	return result;
}

/* Before each call of OpenSSL that reads. */
static void
prepare(struct tls *tls)
{
	tls->reads = READS_MAX;
	ERR_clear_error();
	errno = 0;
}

/* With DANE nothing is resumed: other records may be there each time. */
static void
offer_session(struct tls *tls, const struct tls_policy *policy)
{
	if (policy->sessions == NULL || tls->verification.dane)
		return;
	tls->sessions = policy->sessions;
	tls->session_id = g_strdup(policy->session_id);
	tls_sessions_offer(tls->sessions, tls->session_id, tls->ssl);
}

/* What comes to nothing leaves none behind. */
static void
forget_session(struct tls *tls)
{
	if (tls->sessions != NULL)
		tls_sessions_forget(tls->sessions, tls->session_id);
	tls->sessions = NULL;
}

static gboolean
set_up(struct tls *tls, int fd, const struct tls_policy *policy, GError **error)
{
	tls->context = tls_context_new(policy, error);
	if (tls->context == NULL)
		return FALSE;
	tls->ssl = SSL_new(tls->context);
	if (tls->ssl == NULL || SSL_set_fd(tls->ssl, fd) != 1 ||
	    (policy->sni != NULL && set_sni(tls->ssl, policy->sni) != 1))
		return tls_context_fail("OpenSSL", error);
	BIO_set_callback_ex(SSL_get_rbio(tls->ssl), limit_reads);
	BIO_set_callback_arg(SSL_get_rbio(tls->ssl), (char *)&tls->reads);
	if (!verification_set_up(&tls->verification, tls->context, tls->ssl,
		policy, error))
		return FALSE;
	offer_session(tls, policy);
	return TRUE;
}

/* Was what came no record of TLS, but text? */
static gboolean
is_clear_text(void)
{
	return ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_SSL &&
	    ERR_GET_REASON(ERR_peek_error()) == SSL_R_WRONG_VERSION_NUMBER;
}

static gboolean
fail_handshake(struct tls *tls, const struct tls_policy *policy, int code,
    int number, GError **error)
{
	g_autofree char *failure = NULL;

	tls->broken = TRUE;
	if (code == SSL_ERROR_SSL)
		failure = verification_reason(&tls->verification, policy);
	if (failure != NULL)
		g_set_error(error, TLS_ERROR, TLS_ERROR_VERIFY,
		    "certificate verification failed: %s", failure);
	else if (code == SSL_ERROR_SYSCALL && number != 0)
		g_set_error(error, TLS_ERROR, TLS_ERROR_HANDSHAKE,
		    "handshake failed: connection lost: %s",
		    g_strerror(number));
	else if (code == SSL_ERROR_SYSCALL || code == SSL_ERROR_ZERO_RETURN)
		g_set_error(error, TLS_ERROR, TLS_ERROR_HANDSHAKE,
		    "handshake failed: connection lost");
	else if (is_clear_text())
		g_set_error(error, TLS_ERROR, TLS_ERROR_CLEAR,
		    "handshake failed: %s", tls_context_reason());
	else
		g_set_error(error, TLS_ERROR, TLS_ERROR_HANDSHAKE,
		    "handshake failed: %s", tls_context_reason());
	return FALSE;
}

/* What a call would have waited for; 0: it has failed. */
static short
wanted_events(int code)
{
	switch (code) {
	case SSL_ERROR_WANT_READ:
		return POLLIN;
	case SSL_ERROR_WANT_WRITE:
		return POLLOUT;
	default:
		return 0;
	}
}

static gboolean
shake_hands(struct tls *tls, int fd, const struct tls_policy *policy,
    gint64 deadline, GError **error)
{
	for (;;) {
		struct pollfd pollfd = {.fd = fd};
		int result;
		int code;
		int number;

		prepare(tls);
		result = SSL_connect(tls->ssl);
		number = errno;
		if (result == 1)
			return TRUE;
		code = SSL_get_error(tls->ssl, result);
		pollfd.events = wanted_events(code);
		if (pollfd.events == 0)
			return fail_handshake(tls, policy, code, number, error);
		quickack(fd);
		if (deadline_left(deadline) == 0 ||
		    deadline_poll(&pollfd, 1, deadline) <= 0) {
			tls->broken = TRUE;
			g_set_error(error, TLS_ERROR, TLS_ERROR_TIMEOUT,
			    "handshake timed out");
			return FALSE;
		}
	}
}

static void
describe(struct tls *tls, const struct tls_policy *policy)
{
	g_autofree char *peer = NULL;

	if (tls->failure != NULL &&
	    (tls->verification.enforced || policy->level != TLS_DANE))
		peer = g_strdup_printf("not verified: %s", tls->failure);
	else
		peer = verification_describe(&tls->verification, policy);
	tls->description = g_strdup_printf("protocol %s cipher %s %s",
	    SSL_get_version(tls->ssl), SSL_get_cipher_name(tls->ssl), peer);
}

struct tls *
tls_connect(int fd, const struct tls_policy *policy, gint64 deadline,
    GError **error)
{
	g_autoptr(Tls) tls = g_new0(struct tls, 1);

	ERR_clear_error();
	if (!set_up(tls, fd, policy, error))
		return NULL;
	if (!shake_hands(tls, fd, policy, deadline, error)) {
		forget_session(tls);
		return NULL;
	}
	tls->failure = verification_failure(&tls->verification, policy);
	if (tls->failure != NULL && tls->verification.enforced &&
	    !policy->examine) {
		forget_session(tls);
		g_set_error(error, TLS_ERROR, TLS_ERROR_VERIFY,
		    "certificate verification failed: %s", tls->failure);
		return NULL;
	}
	describe(tls, policy);
	return g_steal_pointer(&tls);
}

/* OpenSSL's first error is kept: what comes behind it are consequences. */
static void
note_reason(struct tls *tls)
{
	if (tls->reason != NULL)
		return;
	tls->reason = g_strdup(tls_context_reason());
	tls->alert = ERR_GET_REASON(ERR_peek_error()) >= SSL_AD_REASON_OFFSET;
}

/* The result of a call that read or wrote @result bytes, or none. */
static ssize_t
finish(struct tls *tls, int result, int number)
{
	int code;

	if (result > 0)
		return result;
	code = SSL_get_error(tls->ssl, result);
	tls->events = wanted_events(code);
	if (tls->events != 0) {
		errno = EAGAIN;
		return -1;
	}
	tls->broken = TRUE;
	/* After an alert OpenSSL says that the peer has closed, no more. */
	if (code == SSL_ERROR_ZERO_RETURN && tls->reason == NULL)
		return 0;
	if (code == SSL_ERROR_SSL)
		note_reason(tls);
	errno = code == SSL_ERROR_SYSCALL && number != 0 ? number : EPROTO;
	return -1;
}

/*
 * A peer that ends TLS by an alert, and closes, may be written to before that
 * is read: it has more to say than that the pipe is broken.
 */
static void
look_for_alert(struct tls *tls)
{
	int number = errno;
	char byte;
	int result;

	prepare(tls);
	result = SSL_read(tls->ssl, &byte, 1);
	finish(tls, result, errno);
	tls->broken = TRUE;
	errno = tls->alert ? EPROTO : number;
}

ssize_t
tls_read(struct tls *tls, char *buffer, gsize size)
{
	int result;

	prepare(tls);
	result = SSL_read(tls->ssl, buffer, (int)MIN(size, G_MAXINT));
	return finish(tls, result, errno);
}

ssize_t
tls_write(struct tls *tls, const char *data, gsize length)
{
	int result;

	prepare(tls);
	result = SSL_write(tls->ssl, data, (int)MIN(length, G_MAXINT));
	if (result > 0)
		return result;
	/* A peer that has closed takes nothing: that is no success. */
	if (finish(tls, result, errno) == 0)
		errno = EPIPE;
	if (errno != EAGAIN && tls->reason == NULL)
		look_for_alert(tls);
	return -1;
}

short
tls_events(const struct tls *tls)
{
	return tls->events;
}

gboolean
tls_has_pending(const struct tls *tls)
{
	/* An end that has been read, poll(2) does not see any more. */
	return tls->broken || SSL_pending(tls->ssl) > 0;
}

gboolean
tls_has_spoken(struct tls *tls)
{
	struct pollfd pollfd = {.fd = SSL_get_fd(tls->ssl), .events = POLLIN};

	for (int i = 0; i < EMPTY_RECORDS_MAX; i++) {
		char byte;
		int result;

		prepare(tls);
		result = SSL_peek(tls->ssl, &byte, 1);
		if (finish(tls, result, errno) >= 0 || errno != EAGAIN)
			return TRUE;
		/* What was there may have been a session ticket. */
		if (poll(&pollfd, 1, 0) <= 0)
			return FALSE;
	}
	return TRUE;
}

const char *
tls_reason(const struct tls *tls)
{
	return tls->reason;
}

const char *
tls_alert(const struct tls *tls)
{
	return tls->alert ? tls->reason : NULL;
}

const char *
tls_description(const struct tls *tls)
{
	return tls->description;
}

gboolean
tls_is_enforced(const struct tls *tls)
{
	return tls->verification.enforced;
}

const char *
tls_verify_failure(const struct tls *tls)
{
	return tls->failure;
}

X509 *
tls_certificate(const struct tls *tls)
{
	return SSL_get0_peer_certificate(tls->ssl);
}

void
tls_free(struct tls *tls)
{
	if (tls->ssl != NULL && !tls->broken)
		SSL_shutdown(tls->ssl);
	if (tls->sessions != NULL)
		tls_sessions_keep(tls->sessions, tls->session_id, tls->ssl);
	SSL_free(tls->ssl);
	SSL_CTX_free(tls->context);
	ERR_clear_error();
	g_free(tls->session_id);
	g_free(tls->description);
	g_free(tls->failure);
	g_free(tls->reason);
	g_free(tls);
}
