/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "unit/table.h"
#include "unit/tlspeer.h"
#include "util/autofd.h"

/* Far more than all of these take, in seconds. */
#define PATIENCE 120

static struct identity identity;

/* After the handshake.  The test is the server then. */
static struct tlspeer *
connected(void)
{
	return tlspeer_connected(talk_new(), &identity);
}

static void
say_goodbye(struct tlspeer *server)
{
	tlspeer_add_goodbye(server);
	tlspeer_flush(server);
}

static void
close_without(struct tlspeer *server)
{
	shutdown(server->talk->theirs, SHUT_WR);
}

static void
close_after_half(struct tlspeer *server)
{
	tlspeer_add_ticket(server);
	tlspeer_flush_some(server, tlspeer_record_length(server) / 2);
	shutdown(server->talk->theirs, SHUT_WR);
}

static void
say_in_clear(struct tlspeer *server)
{
	talk_say(server->talk, "250 Ok\r\n");
}

/* A record that somebody else has made. */
static void
say_altered(struct tlspeer *server)
{
	char record[] = "\x17\x03\x03\0\x20 this is not of the session's key..";

	/* Its header, and the 32 bytes that it announces. */
	g_assert_cmpint(send(server->talk->theirs, record,
			    SSL3_RT_HEADER_LENGTH + 32, MSG_NOSIGNAL),
	    >, 0);
}

/* It cannot make anything of what has come. */
static void
say_alert(struct tlspeer *server)
{
	char record[] = "\x17\x03\x03\0\x20 this is not of the session's key..";
	char byte;

	BIO_write(server->in, record, SSL3_RT_HEADER_LENGTH + 32);
	g_assert_cmpint(SSL_read(server->ssl, &byte, 1), <=, 0);
	tlspeer_flush(server);
}

static const struct end {
	const char *says;
	void (*work)(struct tlspeer *server);
	int reason;   /* OpenSSL's; 0: one that may differ */
	gboolean tls; /* FALSE: it has closed, no more */
} ends[] = {
    {"a goodbye", say_goodbye, 0, FALSE},
    {"no goodbye", close_without, 0, FALSE},
    {"half a record", close_after_half, 0, FALSE},
    {"a reply in clear", say_in_clear, 0, TRUE},
    {"a record with another key", say_altered,
	SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, TRUE},
    {"an alert", say_alert, SSL_R_SSLV3_ALERT_BAD_RECORD_MAC, TRUE},
};

/* The message is "connection lost", and why. */
static void
assert_lost(const struct end *row, const GError *error)
{
	static const char head[] = "connection lost: TLS: ";
	const char *reason = error->message + strlen(head);

	g_assert_error(error, PEER_ERROR, PEER_ERROR_LOST);
	if (!row->tls) {
		g_assert_cmpstr(error->message, ==, "connection lost");
		return;
	}
	g_assert_true(g_str_has_prefix(error->message, head));
	g_assert_cmpstr(reason, !=, "");
	g_assert_cmpstr(reason, !=, "unknown reason");
	if (row->reason != 0)
		g_assert_cmpstr(reason, ==,
		    ERR_reason_error_string(
			ERR_PACK(ERR_LIB_SSL, 0, row->reason)));
}

static void
test_end(gconstpointer data)
{
	const struct end *row = data;
	g_autoptr(Tlspeer) server = connected();
	g_autoptr(GError) error = NULL;

	row->work(server);
	g_assert_null(peer_reply(server->talk->peer, FOREVER, &error));
	assert_lost(row, error);
	g_assert_true(peer_has_spoken(server->talk->peer));
}

/* The same where nothing is expected, and then a reply. */
static void
test_end_before_reply(gconstpointer data)
{
	const struct end *row = data;
	g_autoptr(Tlspeer) server = connected();
	g_autoptr(GError) error = NULL;

	row->work(server);
	g_assert_true(peer_has_spoken(server->talk->peer));
	g_assert_null(peer_reply(server->talk->peer, FOREVER, &error));
	assert_lost(row, error);
}

/* As soon as somebody looks, the content is not sent, and nobody waits. */
static void
test_end_before_content(gconstpointer data)
{
	const struct end *row = data;
	g_autoptr(Tlspeer) server = connected();
	g_autoptr(Message) message = tlspeer_message("a line\n");
	g_autoptr(GError) premature = NULL;
	g_autoptr(GError) error = NULL;

	row->work(server);
	g_assert_false(peer_send_content(server->talk->peer, message, MINUTES,
	    FOREVER, &premature));
	g_assert_error(premature, PEER_ERROR, PEER_ERROR_SPOKE);
	g_assert_null(peer_reply(server->talk->peer, FOREVER, &error));
	assert_lost(row, error);
}

/* What is sent meets a connection that is gone, and an alert before that. */
static void
test_alert_before_command(void)
{
	g_autoptr(Tlspeer) server = connected();
	g_autoptr(GError) error = NULL;

	say_alert(server);
	autofd_clear(&server->talk->theirs);
	g_assert_false(
	    peer_send(server->talk->peer, "QUIT\r\n", 6, FOREVER, &error));
	assert_lost(&ends[G_N_ELEMENTS(ends) - 1], error);
	g_assert_nonnull(tls_alert(peer_tls(server->talk->peer)));
}

/* Nothing but an alert is one. */
static void
test_no_alert(void)
{
	for (gsize i = 0; i + 1 < G_N_ELEMENTS(ends); i++) {
		g_autoptr(Tlspeer) server = connected();

		ends[i].work(server);
		g_assert_null(peer_reply(server->talk->peer, FOREVER, NULL));
		g_assert_null(tls_alert(peer_tls(server->talk->peer)));
	}
}

static void
reset(struct tlspeer *server)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 0};

	g_assert_no_errno(setsockopt(server->talk->theirs, SOL_SOCKET,
	    SO_LINGER, &linger, sizeof(linger)));
	autofd_clear(&server->talk->theirs);
}

static void
assert_sends_nothing(struct peer *peer)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(peer_send(peer, "QUIT\r\n", 6, FOREVER, &error));
	g_assert_error(error, PEER_ERROR, PEER_ERROR_LOST);
}

static void
test_reset_before_reply(void)
{
	g_autoptr(Tlspeer) server =
	    tlspeer_connected(talk_over_tcp(), &identity);
	g_autoptr(GError) error = NULL;

	reset(server);
	g_assert_null(peer_reply(server->talk->peer, FOREVER, &error));
	g_assert_error(error, PEER_ERROR, PEER_ERROR_LOST);
	g_assert_cmpstr(error->message, ==,
	    "connection lost: Connection reset by peer");
	assert_sends_nothing(server->talk->peer);
	g_assert_true(peer_has_spoken(server->talk->peer));
}

static void
test_reset_before_command(void)
{
	g_autoptr(Tlspeer) server =
	    tlspeer_connected(talk_over_tcp(), &identity);

	reset(server);
	assert_sends_nothing(server->talk->peer);
	assert_sends_nothing(server->talk->peer);
}

/* ---- before TLS ---- */

static void
assert_reply(struct peer *peer, int code)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Reply) reply = peer_reply(peer, FOREVER, &error);

	g_assert_no_error(error);
	g_assert_cmpint(reply->code, ==, code);
}

static const struct early {
	const char *says;
	const char *text;
	gboolean read; /* by the reply before it */
	enum tls_level level;
	int error;    /* enum peer_error, or ... */
	gboolean tls; /* enum tls_error */
} earlies[] = {
    {"a reply that is read", "250 Ok\r\n", TRUE, TLS_ENCRYPT, PEER_ERROR_SPOKE,
	FALSE},
    {"half a reply that is read", "2", TRUE, TLS_SECURE, PEER_ERROR_SPOKE,
	FALSE},
    {"a reply in the socket", "250 Ok\r\n", FALSE, TLS_MAY, PEER_ERROR_SPOKE,
	FALSE},
    {"half a reply in the socket", "2", FALSE, TLS_DANE, PEER_ERROR_SPOKE,
	FALSE},
    {"a greeting in clear instead of a wrapper", "220 Ready\r\n", FALSE,
	TLS_WRAPPER, TLS_ERROR_CLEAR, TRUE},
};

static void
test_early(gconstpointer data)
{
	const struct early *row = data;
	const struct tls_policy policy = {
	    .level = row->level,
	    .expected = "mx.example.com",
	    .min_protocol = TLS1_2_VERSION,
	};
	GQuark domain = row->tls ? TLS_ERROR : PEER_ERROR;
	g_autoptr(Talk) talk = talk_new();
	g_autoptr(GError) error = NULL;

	if (row->read) {
		g_autofree char *text =
		    g_strconcat("220 Ready\r\n", row->text, NULL);

		talk_say(talk, text);
		assert_reply(talk->peer, 220);
	} else {
		talk_say(talk, row->text);
	}
	g_assert_false(peer_start_tls(talk->peer, &policy, FOREVER, &error));
	g_assert_error(error, domain, row->error);
	g_assert_null(peer_tls(talk->peer));
}

static void
test_deaf(void)
{
	const struct tls_policy policy = {
	    .level = TLS_ENCRYPT,
	    .min_protocol = TLS1_2_VERSION,
	};
	g_autoptr(Talk) talk = talk_new();
	g_autoptr(GError) error = NULL;

	g_assert_false(
	    peer_start_tls(talk->peer, &policy, deadline_in(1000), &error));
	g_assert_error(error, PEER_ERROR, PEER_ERROR_TIMEOUT);
}

int
main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	/* OpenSSL writes to sockets without MSG_NOSIGNAL. */
	signal(SIGPIPE, SIG_IGN);
	alarm(PATIENCE);
	identity_make(&identity, "DNS:mx.example.com");
	TABLE_ADD("end by", ends, test_end);
	TABLE_ADD("end before a reply by", ends, test_end_before_reply);
	TABLE_ADD("end before content by", ends, test_end_before_content);
	g_test_add_func("/alert/before a command", test_alert_before_command);
	g_test_add_func("/alert/none", test_no_alert);
	g_test_add_func("/reset/before a reply", test_reset_before_reply);
	g_test_add_func("/reset/before a command", test_reset_before_command);
	TABLE_ADD("early", earlies, test_early);
	g_test_add_func("/early/nothing, and nothing then", test_deaf);
	status = g_test_run();
	identity_clear(&identity);
	return status;
}
