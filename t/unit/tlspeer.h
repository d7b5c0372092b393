/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other end of a connection with TLS: a server by OpenSSL whose records
 * the test can hold back, cut and alter on their way.
 */
#ifndef SMTPROUTE_TLSPEER_H
#define SMTPROUTE_TLSPEER_H

#include <glib.h>
#include <openssl/ssl.h>

#include "unit/talk.h"

/* A key, and a certificate for it that has signed itself. */
struct identity {
	EVP_PKEY *key;
	X509 *certificate;
};

/* @san: as in openssl.cnf, "DNS:mx.example.com". */
void
identity_make(struct identity *identity, const char *san);

void
identity_clear(struct identity *identity);

/* Appends it to the file @path. */
void
identity_save(const struct identity *identity, const char *path);

struct tlspeer {
	struct talk *talk; /* talk->peer is ours */
	SSL_CTX *context;
	SSL *ssl;
	BIO *in;  /* bytes to it, and ... */
	BIO *out; /* from it, which are not sent yet */
	GThread *thread;
	gboolean huge_tickets;
};

/* @talk becomes its own.  @identity NULL: TLS 1.2 without a certificate. */
struct tlspeer *
tlspeer_over(struct talk *talk, const struct identity *identity);

/* Runs @work(server) until it ends, or tlspeer_free(). */
void
tlspeer_start(struct tlspeer *server, GThreadFunc work);

/* A work for it: the handshake, as far as it goes. */
gpointer
tlspeer_accept(gpointer server);

/* Waits for the end of the work. */
void
tlspeer_join(struct tlspeer *server);

/* All of the above: @talk's peer has TLS then, and the test is the server. */
struct tlspeer *
tlspeer_connected(struct talk *talk, const struct identity *identity);

/* From now on a session ticket takes many records. */
void
tlspeer_enlarge_tickets(struct tlspeer *server);

/* Of what these make nothing is sent before tlspeer_flush(). */
void
tlspeer_say(struct tlspeer *server, const char *text);

void
tlspeer_add_ticket(struct tlspeer *server);

/* @count of TLS 1.3's KeyUpdate, which have no content. */
void
tlspeer_add_updates(struct tlspeer *server, guint count);

void
tlspeer_add_goodbye(struct tlspeer *server);

/* The length of the first record in what is not sent yet. */
gsize
tlspeer_record_length(const struct tlspeer *server);

/* Sends that, or @most bytes of it.  FALSE: the peer has gone. */
gboolean
tlspeer_flush_some(struct tlspeer *server, gsize most);

gboolean
tlspeer_flush(struct tlspeer *server);

/* What has come by now, decrypted; a new string. */
char *
tlspeer_heard(struct tlspeer *server);

/* A message of @text, which a pipe holds. */
struct message *
tlspeer_message(const char *text);

void
tlspeer_free(struct tlspeer *server);

/* For g_autoptr(), which wants one word. */
typedef struct tlspeer Tlspeer;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tlspeer, tlspeer_free)

#endif
