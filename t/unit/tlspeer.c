/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "unit/tlspeer.h"

#define HOUR  3600
#define CHUNK 4096

/* What OpenSSL puts into a record at least, and a ticket that is longer. */
#define FRAGMENT    512
#define TICKET_DATA 3000

static void
add_san(X509 *certificate, const char *san)
{
	X509_EXTENSION *extension =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);

	g_assert_nonnull(extension);
	g_assert_true(X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
}

void
identity_make(struct identity *identity, const char *san)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);

	identity->key = EVP_EC_gen("P-256");
	identity->certificate = certificate;
	g_assert_nonnull(identity->key);
	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -HOUR);
	X509_gmtime_adj(X509_getm_notAfter(certificate), HOUR);
	/* Files of authorities are found by it. */
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)san, -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	X509_set_pubkey(certificate, identity->key);
	add_san(certificate, san);
	g_assert_cmpint(X509_sign(certificate, identity->key, EVP_sha256()), >,
	    0);
}

void
identity_clear(struct identity *identity)
{
	EVP_PKEY_free(identity->key);
	X509_free(identity->certificate);
}

void
identity_save(const struct identity *identity, const char *path)
{
	BIO *file = BIO_new_file(path, "a");

	g_assert_nonnull(file);
	g_assert_true(PEM_write_bio_X509(file, identity->certificate));
	BIO_free(file);
}

static int
fill_ticket(SSL *ssl, void *data)
{
	const struct tlspeer *server = data;
	g_autofree char *filling = g_strnfill(TICKET_DATA, 'x');

	return !server->huge_tickets ||
	    SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), filling,
		TICKET_DATA);
}

static SSL_TICKET_RETURN
take_ticket(SSL *ssl G_GNUC_UNUSED, SSL_SESSION *session G_GNUC_UNUSED,
    const unsigned char *name G_GNUC_UNUSED, size_t length G_GNUC_UNUSED,
    SSL_TICKET_STATUS status G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
	return SSL_TICKET_RETURN_IGNORE;
}

static void
set_identity(SSL_CTX *context, const struct identity *identity)
{
	if (identity != NULL) {
		g_assert_true(
		    SSL_CTX_use_certificate(context, identity->certificate));
		g_assert_true(SSL_CTX_use_PrivateKey(context, identity->key));
		return;
	}
	SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
	g_assert_true(SSL_CTX_set_cipher_list(context, "aNULL:@SECLEVEL=0"));
	SSL_CTX_set_dh_auto(context, 1);
}

struct tlspeer *
tlspeer_over(struct talk *talk, const struct identity *identity)
{
	struct tlspeer *server = g_new0(struct tlspeer, 1);

	server->talk = talk;
	server->context = SSL_CTX_new(TLS_server_method());
	g_assert_nonnull(server->context);
	set_identity(server->context, identity);
	SSL_CTX_set_num_tickets(server->context, 0);
	SSL_CTX_set_session_ticket_cb(server->context, fill_ticket, take_ticket,
	    server);
	server->ssl = SSL_new(server->context);
	server->in = BIO_new(BIO_s_mem());
	server->out = BIO_new(BIO_s_mem());
	SSL_set_bio(server->ssl, server->in, server->out);
	SSL_set_accept_state(server->ssl);
	return server;
}

void
tlspeer_start(struct tlspeer *server, GThreadFunc work)
{
	server->thread = g_thread_new("server", work, server);
}

void
tlspeer_join(struct tlspeer *server)
{
	g_clear_pointer(&server->thread, g_thread_join);
}

static gboolean
hear(struct tlspeer *server, int flags)
{
	char buffer[CHUNK];
	gssize n = recv(server->talk->theirs, buffer, sizeof(buffer), flags);

	return n > 0 && BIO_write(server->in, buffer, (int)n) == n;
}

gpointer
tlspeer_accept(gpointer data)
{
	struct tlspeer *server = data;
	int result;

	do {
		result = SSL_do_handshake(server->ssl);
		if (!tlspeer_flush(server))
			break;
	} while (SSL_get_error(server->ssl, result) == SSL_ERROR_WANT_READ &&
	    hear(server, 0));
	return NULL;
}

struct tlspeer *
tlspeer_connected(struct talk *talk, const struct identity *identity)
{
	const struct tls_policy policy = {
	    .level = TLS_ENCRYPT,
	    .min_protocol = TLS1_2_VERSION,
	};
	struct tlspeer *server = tlspeer_over(talk, identity);
	g_autoptr(GError) error = NULL;

	tlspeer_start(server, tlspeer_accept);
	g_assert_true(peer_start_tls(talk->peer, &policy, FOREVER, &error));
	g_assert_no_error(error);
	g_assert_nonnull(peer_tls(talk->peer));
	tlspeer_join(server);
	return server;
}

void
tlspeer_enlarge_tickets(struct tlspeer *server)
{
	server->huge_tickets = TRUE;
	g_assert_true(SSL_set_max_send_fragment(server->ssl, FRAGMENT));
}

void
tlspeer_say(struct tlspeer *server, const char *text)
{
	int length = (int)strlen(text);

	g_assert_cmpint(SSL_write(server->ssl, text, length), ==, length);
}

void
tlspeer_add_ticket(struct tlspeer *server)
{
	g_assert_true(SSL_new_session_ticket(server->ssl));
	g_assert_cmpint(SSL_do_handshake(server->ssl), ==, 1);
}

void
tlspeer_add_updates(struct tlspeer *server, guint count)
{
	for (guint i = 0; i < count; i++) {
		g_assert_true(
		    SSL_key_update(server->ssl, SSL_KEY_UPDATE_NOT_REQUESTED));
		g_assert_cmpint(SSL_do_handshake(server->ssl), ==, 1);
	}
}

void
tlspeer_add_goodbye(struct tlspeer *server)
{
	SSL_shutdown(server->ssl);
}

gsize
tlspeer_record_length(const struct tlspeer *server)
{
	const unsigned char *data;
	long length = BIO_get_mem_data(server->out, &data);

	g_assert_cmpint(length, >, SSL3_RT_HEADER_LENGTH);
	return SSL3_RT_HEADER_LENGTH + ((gsize)data[3] << 8 | data[4]);
}

gboolean
tlspeer_flush_some(struct tlspeer *server, gsize most)
{
	char buffer[CHUNK];
	gsize sent = 0;

	while (sent < most) {
		gsize size = MIN(sizeof(buffer), most - sent);
		int length = BIO_read(server->out, buffer, (int)size);

		if (length <= 0)
			break;
		if (send(server->talk->theirs, buffer, (gsize)length,
			MSG_NOSIGNAL) != length)
			return FALSE;
		sent += (gsize)length;
	}
	return TRUE;
}

gboolean
tlspeer_flush(struct tlspeer *server)
{
	return tlspeer_flush_some(server, G_MAXSIZE);
}

char *
tlspeer_heard(struct tlspeer *server)
{
	GString *text = g_string_new(NULL);
	char buffer[CHUNK];
	int n;

	while (hear(server, MSG_DONTWAIT))
		continue;
	while ((n = SSL_read(server->ssl, buffer, sizeof(buffer))) > 0)
		g_string_append_len(text, buffer, n);
	return g_string_free(text, FALSE);
}

struct message *
tlspeer_message(const char *text)
{
	gsize length = strlen(text);
	g_autoptr(GError) error = NULL;
	struct message *message;
	int pair[2];

	g_assert_no_errno(pipe(pair));
	g_assert_cmpint(write(pair[1], text, length), ==, length);
	close(pair[1]);
	message = message_read(pair[0], g_get_tmp_dir(), FOREVER, &error);
	g_assert_no_error(error);
	close(pair[0]);
	return message;
}

void
tlspeer_free(struct tlspeer *server)
{
	shutdown(server->talk->ours, SHUT_RDWR);
	tlspeer_join(server);
	talk_free(server->talk);
	SSL_free(server->ssl);
	SSL_CTX_free(server->context);
	g_free(server);
}
