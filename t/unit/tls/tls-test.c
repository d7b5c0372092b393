/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <openssl/evp.h>

#include "unit/table.h"
#include "unit/tlspeer.h"

#define NAME    "mx.example.com"
#define ADDRESS "192.0.2.1"
#define OTHER   "other.example.com"

/* Far more than all of these take, in seconds. */
#define PATIENCE 120

/* Records: far more than are honest. */
#define OFTEN 1000

static struct identity identity;
static struct identity other_identity;
static char *ours; /* a file with the one, and ... */
static char *others;

static const struct tls_policy lenient = {
    .level = TLS_ENCRYPT,
    .sni = NAME,
    .expected = NAME,
    .min_protocol = TLS1_2_VERSION,
};

/* With the server in a thread of its own. */
static struct tls *
connect_to(struct tlspeer *server, const struct tls_policy *policy,
    GError **error)
{
	tlspeer_start(server, tlspeer_accept);
	return tls_connect(server->talk->ours, policy, FOREVER, error);
}

/* ---- who it is ---- */

/* @x509: X509_V_OK, or why the certificate is not accepted. */
static const struct verification {
	const char *says;
	enum tls_level level;
	char *const *authorities; /* a file */
	const char *expected;
	const char *also;
	int x509;
	gboolean enforced;
} verifications[] = {
    {"its name", TLS_SECURE, &ours, NAME, NULL, X509_V_OK, TRUE},
    {"its address", TLS_SECURE, &ours, ADDRESS, NULL, X509_V_OK, TRUE},
    {"one of two names", TLS_SECURE, &ours, OTHER, NAME, X509_V_OK, TRUE},
    {"its name, in a wrapper", TLS_WRAPPER, &ours, NAME, NULL, X509_V_OK, TRUE},
    {"another name", TLS_SECURE, &ours, OTHER, NULL,
	X509_V_ERR_HOSTNAME_MISMATCH, TRUE},
    {"two other names", TLS_WRAPPER, &ours, OTHER, "mx.example.org",
	X509_V_ERR_HOSTNAME_MISMATCH, TRUE},
    {"another address", TLS_SECURE, &ours, "192.0.2.2", NULL,
	X509_V_ERR_IP_ADDRESS_MISMATCH, TRUE},
    {"other authorities", TLS_SECURE, &others, NAME, NULL,
	X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, TRUE},
    {"other authorities, who do not matter", TLS_MAY, &others, NAME, NULL,
	X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, FALSE},
    {"another name, which does not matter", TLS_ENCRYPT, &ours, OTHER, NULL,
	X509_V_ERR_HOSTNAME_MISMATCH, FALSE},
};

static struct tls_policy
policy_of(const struct verification *row)
{
	struct tls_policy policy = lenient;

	policy.level = row->level;
	policy.expected = row->expected;
	policy.also = row->also;
	policy.ca_file = *row->authorities;
	return policy;
}

static void
test_verification(gconstpointer data)
{
	const struct verification *row = data;
	const struct tls_policy policy = policy_of(row);
	g_autoptr(Tlspeer) server = tlspeer_over(talk_new(), &identity);
	g_autoptr(GError) error = NULL;
	Tls *tls = connect_to(server, &policy, &error);

	if (row->x509 == X509_V_OK || !row->enforced) {
		g_assert_no_error(error);
		g_assert_cmpint(tls_is_enforced(tls), ==, row->enforced);
		g_assert_null(tls_verify_failure(tls));
		tls_free(tls);
		return;
	}
	g_assert_null(tls);
	g_assert_error(error, TLS_ERROR, TLS_ERROR_VERIFY);
	g_assert_nonnull(
	    strstr(error->message, X509_verify_cert_error_string(row->x509)));
}

/* It goes on whatever comes of it, and tells. */
static void
test_examination(gconstpointer data)
{
	const struct verification *row = data;
	struct tls_policy policy = policy_of(row);
	g_autoptr(Tlspeer) server = tlspeer_over(talk_new(), &identity);
	g_autoptr(GError) error = NULL;
	g_autoptr(Tls) tls = NULL;

	policy.examine = TRUE;
	tls = connect_to(server, &policy, &error);
	g_assert_no_error(error);
	g_assert_cmpint(tls_is_enforced(tls), ==, row->enforced);
	g_assert_nonnull(tls_certificate(tls));
	if (row->x509 == X509_V_OK) {
		g_assert_null(tls_verify_failure(tls));
		g_assert_nonnull(strstr(tls_description(tls), " verified as "));
		return;
	}
	g_assert_true(g_str_has_prefix(tls_verify_failure(tls),
	    X509_verify_cert_error_string(row->x509)));
	g_assert_nonnull(strstr(tls_description(tls), " not verified: "));
}

/* ---- DANE ---- */

#define NO_ERROR -1 /* enum tls_error: none, there is TLS */

/* The record 3 0 1 of @whom, or one that OpenSSL knows no matching for. */
static struct tlsa_set *
record_of(const struct identity *whom, guint8 matching)
{
	struct tlsa_set *set = tlsa_set_new();
	struct tlsa *record = g_new0(struct tlsa, 1);
	unsigned char digest[EVP_MAX_MD_SIZE];
	guint length;

	g_assert_true(
	    X509_digest(whom->certificate, EVP_sha256(), digest, &length));
	record->usage = TLSA_DANE_EE;
	record->matching = matching;
	record->data = g_bytes_new(digest, length);
	g_ptr_array_add(set->records, record);
	set->any = TRUE;
	return set;
}

static const struct dane {
	const char *says;
	const struct identity *whose;
	guint8 matching;
	int error; /* enum tls_error, or NO_ERROR */
	gboolean enforced;
} danes[] = {
    {"its record", &identity, 1, NO_ERROR, TRUE},
    {"another record", &other_identity, 1, TLS_ERROR_VERIFY, TRUE},
    {"a record that cannot be used", &identity, 99, NO_ERROR, FALSE},
};

static void
test_dane(gconstpointer data)
{
	const struct dane *row = data;
	g_autoptr(TlsaSet) records = record_of(row->whose, row->matching);
	struct tls_policy policy = lenient;
	g_autoptr(Tlspeer) server = tlspeer_over(talk_new(), &identity);
	g_autoptr(GError) error = NULL;
	g_autoptr(Tls) tls = NULL;

	policy.level = TLS_DANE;
	policy.tlsa = records;
	tls = connect_to(server, &policy, &error);
	if (row->error != NO_ERROR) {
		g_assert_null(tls);
		g_assert_error(error, TLS_ERROR, row->error);
		return;
	}
	g_assert_no_error(error);
	g_assert_cmpint(tls_is_enforced(tls), ==, row->enforced);
	g_assert_cmpint(strstr(tls_description(tls),
			    " verified by TLSA 3 0 1") != NULL,
	    ==, row->enforced);
}

/* ---- nobody ---- */

static const struct nobody {
	const char *says;
	enum tls_level level;
	gboolean examine;
} nobodies[] = {
    {"who has to be verified", TLS_SECURE, FALSE},
    {"who has to be verified, in a wrapper", TLS_WRAPPER, FALSE},
    {"who has to be verified by DANE", TLS_DANE, FALSE},
    {"who need not be verified", TLS_ENCRYPT, FALSE},
    {"who need not have TLS", TLS_MAY, FALSE},
    {"who is examined", TLS_SECURE, TRUE},
};

/* A server without a certificate, and ciphers that allow for that. */
static void
test_nobody(gconstpointer data)
{
	const struct nobody *row = data;
	g_autoptr(TlsaSet) records = record_of(&identity, 1);
	struct tls_policy policy = lenient;
	g_autoptr(Tlspeer) server = tlspeer_over(talk_new(), NULL);
	g_autoptr(GError) error = NULL;

	policy.level = row->level;
	policy.examine = row->examine;
	policy.ca_file = ours;
	policy.ciphers = "ALL:@SECLEVEL=0";
	policy.tlsa = row->level == TLS_DANE ? records : NULL;
	g_assert_null(connect_to(server, &policy, &error));
	g_assert_error(error, TLS_ERROR, TLS_ERROR_HANDSHAKE);
}

/* ---- handshakes that come to nothing ---- */

static void
test_old_protocol(void)
{
	struct tls_policy policy = lenient;
	g_autoptr(Tlspeer) server = tlspeer_over(talk_new(), &identity);
	g_autoptr(GError) error = NULL;

	SSL_set_max_proto_version(server->ssl, TLS1_2_VERSION);
	policy.min_protocol = TLS1_3_VERSION;
	g_assert_null(connect_to(server, &policy, &error));
	g_assert_error(error, TLS_ERROR, TLS_ERROR_HANDSHAKE);
}

static void
test_silent(void)
{
	g_autoptr(Talk) talk = talk_new();
	g_autoptr(GError) error = NULL;

	g_assert_null(
	    tls_connect(talk->ours, &lenient, deadline_in(1000), &error));
	g_assert_error(error, TLS_ERROR, TLS_ERROR_TIMEOUT);
}

static void
test_closed(void)
{
	g_autoptr(Talk) talk = talk_new();
	g_autoptr(GError) error = NULL;

	shutdown(talk->theirs, SHUT_WR);
	g_assert_null(tls_connect(talk->ours, &lenient, FOREVER, &error));
	g_assert_error(error, TLS_ERROR, TLS_ERROR_HANDSHAKE);
	g_assert_cmpstr(error->message, ==,
	    "handshake failed: connection lost");
}

static void
test_clear_text(void)
{
	g_autoptr(Talk) talk = talk_new();
	g_autoptr(GError) error = NULL;

	talk_say(talk, "220 mx.example.com ESMTP\r\n");
	g_assert_null(tls_connect(talk->ours, &lenient, FOREVER, &error));
	g_assert_error(error, TLS_ERROR, TLS_ERROR_CLEAR);
}

/* HelloRequests (RFC 5246 section 7.4.1.1), which are ignored. */
static gboolean
ask_often(const struct talk *talk)
{
	static const char record[] = {SSL3_RT_HANDSHAKE, 3, 3, 0, 4,
	    SSL3_MT_HELLO_REQUEST, 0, 0, 0};
	g_autoptr(GString) records = g_string_new(NULL);

	for (int i = 0; i < OFTEN; i++)
		g_string_append_len(records, record, sizeof(record));
	return send(talk->theirs, records->str, records->len, MSG_NOSIGNAL) ==
	    (gssize)records->len;
}

static gpointer
ask_for_ever(gpointer data)
{
	const struct tlspeer *server = data;

	while (ask_often(server->talk))
		continue;
	return NULL;
}

/* After the deadline it does not read all that there is. */
static void
test_late(void)
{
	g_autoptr(Talk) talk = talk_new();
	g_autoptr(GError) error = NULL;
	char byte;

	g_assert_true(ask_often(talk));
	g_assert_null(
	    tls_connect(talk->ours, &lenient, deadline_in(0), &error));
	g_assert_error(error, TLS_ERROR, TLS_ERROR_TIMEOUT);
	g_assert_cmpint(recv(talk->ours, &byte, 1, 0), ==, 1);
}

static void
test_endless(void)
{
	g_autoptr(Tlspeer) server = tlspeer_over(talk_new(), &identity);
	g_autoptr(GError) error = NULL;

	tlspeer_start(server, ask_for_ever);
	g_assert_null(tls_connect(server->talk->ours, &lenient,
	    deadline_in(10000), &error));
	g_assert_error(error, TLS_ERROR, TLS_ERROR_TIMEOUT);
}

/* A new one; its name. */
static char *
make_file(const struct identity *whose)
{
	char *path;
	int fd = g_file_open_tmp("tls-test.XXXXXX", &path, NULL);

	g_assert_cmpint(fd, >=, 0);
	close(fd);
	identity_save(whose, path);
	return path;
}

static void
set_up(void)
{
	/* OpenSSL writes to sockets without MSG_NOSIGNAL. */
	signal(SIGPIPE, SIG_IGN);
	alarm(PATIENCE);
	identity_make(&identity, "DNS:" NAME ",IP:" ADDRESS);
	identity_make(&other_identity, "DNS:" OTHER);
	ours = make_file(&identity);
	others = make_file(&other_identity);
}

static void
tear_down(void)
{
	g_assert_no_errno(g_unlink(ours));
	g_assert_no_errno(g_unlink(others));
	g_free(ours);
	g_free(others);
	identity_clear(&identity);
	identity_clear(&other_identity);
}

int
main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	set_up();
	TABLE_ADD("verify", verifications, test_verification);
	TABLE_ADD("examine", verifications, test_examination);
	TABLE_ADD("dane", danes, test_dane);
	TABLE_ADD("nobody", nobodies, test_nobody);
	g_test_add_func("/handshake/an old protocol", test_old_protocol);
	g_test_add_func("/handshake/silence", test_silent);
	g_test_add_func("/handshake/closed", test_closed);
	g_test_add_func("/handshake/clear text", test_clear_text);
	g_test_add_func("/handshake/after the deadline", test_late);
	g_test_add_func("/handshake/without end", test_endless);
	status = g_test_run();
	tear_down();
	return status;
}
