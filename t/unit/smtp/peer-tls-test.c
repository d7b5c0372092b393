/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/tlspeer.h"

/* Far more than all of these take, in seconds. */
#define PATIENCE 120

/* Records without content: as an honest server sends them, and far more. */
#define FEW  3
#define MANY 200

/* How much peer_reply() reads at once. */
#define READ_SIZE 8192

/* Longer than the test itself is ever made to wait, in microseconds. */
#define SPAN 200000

static struct identity identity;

static struct tlspeer *
connected(void)
{
	return tlspeer_connected(talk_new(), &identity);
}

static void
assert_reply(struct peer *peer, int code)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Reply) reply = peer_reply(peer, FOREVER, &error);

	g_assert_no_error(error);
	g_assert_cmpint(reply->code, ==, code);
}

static void
assert_no_reply(struct peer *peer, gint64 deadline, enum peer_error code)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(peer_reply(peer, deadline, &error));
	g_assert_error(error, PEER_ERROR, (int)code);
}

static void
assert_sends(struct tlspeer *server)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *heard = NULL;

	g_assert_true(
	    peer_send(server->talk->peer, "QUIT\r\n", 6, FOREVER, &error));
	g_assert_no_error(error);
	heard = tlspeer_heard(server);
	g_assert_cmpstr(heard, ==, "QUIT\r\n");
}

static void
assert_sends_content(struct tlspeer *server)
{
	g_autoptr(Message) message = tlspeer_message("a line\n");
	g_autoptr(GError) error = NULL;
	g_autofree char *heard = NULL;

	g_assert_true(peer_send_content(server->talk->peer, message, MINUTES,
	    FOREVER, &error));
	g_assert_no_error(error);
	heard = tlspeer_heard(server);
	g_assert_cmpstr(heard, ==, "a line\r\n.\r\n");
}

/* ---- records without content ---- */

static void
test_plain(void)
{
	g_autoptr(Tlspeer) server = connected();

	g_assert_false(peer_has_spoken(server->talk->peer));
	tlspeer_say(server, "220 Ready\r\n");
	tlspeer_flush(server);
	g_assert_true(peer_has_spoken(server->talk->peer));
	assert_reply(server->talk->peer, 220);
	g_assert_false(peer_has_spoken(server->talk->peer));
	assert_sends(server);
	assert_sends_content(server);
}

static void
test_tickets(void)
{
	g_autoptr(Tlspeer) server = connected();

	for (int i = 0; i < FEW; i++)
		tlspeer_add_ticket(server);
	tlspeer_flush(server);
	g_assert_false(peer_has_spoken(server->talk->peer));
	assert_sends(server);
	assert_sends_content(server);
}

/* The content finds them, and nobody before. */
static void
test_tickets_amid_content(void)
{
	g_autoptr(Tlspeer) server = connected();

	for (int i = 0; i < FEW; i++)
		tlspeer_add_ticket(server);
	tlspeer_flush(server);
	assert_sends_content(server);
}

static void
test_hidden_reply(void)
{
	g_autoptr(Tlspeer) server = connected();

	tlspeer_add_ticket(server);
	tlspeer_add_updates(server, FEW);
	tlspeer_say(server, "421 Closing\r\n");
	tlspeer_flush(server);
	g_assert_true(peer_has_spoken(server->talk->peer));
	assert_reply(server->talk->peer, 421);
	g_assert_false(peer_has_spoken(server->talk->peer));
}

/* One record has a whole reply, as much as is read at once, and another. */
static void
test_hidden_in_record(void)
{
	g_autoptr(Tlspeer) server = connected();
	g_autoptr(Message) message = tlspeer_message("a line\n");
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *heard = NULL;

	while (text->len < READ_SIZE - 16)
		g_string_append(text, "354-go ahead..\r\n");
	g_string_append(text, "354 go ahead..\r\n");
	g_assert_cmpuint(text->len, ==, READ_SIZE);
	g_string_append(text, "250 Ok\r\n");
	tlspeer_say(server, text->str);
	tlspeer_flush(server);
	assert_reply(server->talk->peer, 354);
	g_assert_true(peer_has_spoken(server->talk->peer));
	g_assert_false(peer_send_content(server->talk->peer, message, MINUTES,
	    FOREVER, &error));
	g_assert_error(error, PEER_ERROR, PEER_ERROR_SPOKE);
	heard = tlspeer_heard(server);
	g_assert_cmpstr(heard, ==, "");
	assert_reply(server->talk->peer, 250);
}

/* ---- a server that sends for ever, and says nothing ---- */

/* Each of its records may be late, not only the last. */
static void
test_flood_before_reply(void)
{
	g_autoptr(Tlspeer) server = connected();

	tlspeer_add_updates(server, MANY);
	tlspeer_say(server, "250 Ok\r\n");
	tlspeer_flush(server);
	assert_no_reply(server->talk->peer, deadline_in(0), PEER_ERROR_TIMEOUT);
	assert_reply(server->talk->peer, 250);
}

/* So much is no silence. */
static void
test_flood_before_command(void)
{
	g_autoptr(Tlspeer) server = connected();

	tlspeer_add_updates(server, MANY);
	tlspeer_flush(server);
	g_assert_true(peer_has_spoken(server->talk->peer));
	assert_sends(server);
}

static gpointer
flood_for_ever(gpointer data)
{
	struct tlspeer *server = data;

	while (tlspeer_flush(server))
		tlspeer_add_updates(server, FEW);
	return NULL;
}

static void
test_flood(void)
{
	g_autoptr(Tlspeer) server = connected();
	g_autoptr(Message) message = tlspeer_message("a line\n");
	g_autoptr(GError) error = NULL;

	tlspeer_add_updates(server, MANY);
	tlspeer_flush(server);
	g_assert_true(peer_has_spoken(server->talk->peer));
	tlspeer_start(server, flood_for_ever);
	assert_no_reply(server->talk->peer, deadline_in(1000),
	    PEER_ERROR_TIMEOUT);
	g_assert_true(
	    peer_send(server->talk->peer, "QUIT\r\n", 6, FOREVER, &error));
	g_assert_no_error(error);
	/* However it ends. */
	peer_send_content(server->talk->peer, message, MINUTES, FOREVER, NULL);
}

/* ---- what does not come to an end ---- */

/* The first half of a record with a session ticket. */
static gsize
send_half_record(struct tlspeer *server)
{
	gsize half;

	tlspeer_add_ticket(server);
	half = tlspeer_record_length(server) / 2;
	g_assert_true(tlspeer_flush_some(server, half));
	return half;
}

/* The first records of many with a session ticket. */
static void
send_half_ticket(struct tlspeer *server)
{
	tlspeer_enlarge_tickets(server);
	tlspeer_add_ticket(server);
	g_assert_true(
	    tlspeer_flush_some(server, tlspeer_record_length(server)));
	g_assert_true(
	    tlspeer_flush_some(server, tlspeer_record_length(server)));
}

static void
test_half_record(void)
{
	g_autoptr(Tlspeer) server = connected();

	send_half_record(server);
	g_assert_false(peer_has_spoken(server->talk->peer));
	assert_sends(server);
	assert_sends_content(server);
	assert_no_reply(server->talk->peer, deadline_in(1000),
	    PEER_ERROR_TIMEOUT);
	tlspeer_say(server, "250 Ok\r\n");
	tlspeer_flush(server);
	assert_reply(server->talk->peer, 250);
}

/* As long as nobody reads, nobody waits for the other half. */
static void
test_half_ticket_unread(void)
{
	g_autoptr(Tlspeer) server = connected();

	send_half_ticket(server);
	assert_sends(server);
}

/* OpenSSL sends nothing then before it has the other half. */
static void
test_half_ticket_before_command(void)
{
	g_autoptr(Tlspeer) server = connected();
	g_autoptr(GError) error = NULL;

	send_half_ticket(server);
	g_assert_false(peer_has_spoken(server->talk->peer));
	g_assert_false(peer_send(server->talk->peer, "QUIT\r\n", 6,
	    deadline_in(1000), &error));
	g_assert_error(error, PEER_ERROR, PEER_ERROR_TIMEOUT);
	tlspeer_flush(server);
	assert_sends(server);
}

/* OpenSSL has nothing written then, which is no success either. */
static void
test_half_ticket_and_end(void)
{
	g_autoptr(Tlspeer) server = connected();
	g_autoptr(GError) error = NULL;

	send_half_ticket(server);
	g_assert_false(peer_has_spoken(server->talk->peer));
	shutdown(server->talk->theirs, SHUT_WR);
	g_assert_false(
	    peer_send(server->talk->peer, "QUIT\r\n", 6, FOREVER, &error));
	g_assert_error(error, PEER_ERROR, PEER_ERROR_LOST);
}

static gpointer
flush(gpointer data)
{
	tlspeer_flush(data);
	return NULL;
}

/* The other half comes, sooner or later. */
static void
test_ticket_in_halves(void)
{
	g_autoptr(Tlspeer) server = connected();
	g_autoptr(GError) error = NULL;
	g_autofree char *heard = NULL;

	send_half_ticket(server);
	g_assert_false(peer_has_spoken(server->talk->peer));
	tlspeer_start(server, flush);
	g_assert_true(
	    peer_send(server->talk->peer, "QUIT\r\n", 6, FOREVER, &error));
	g_assert_no_error(error);
	tlspeer_join(server);
	heard = tlspeer_heard(server);
	g_assert_cmpstr(heard, ==, "QUIT\r\n");
	assert_sends_content(server);
}

/* It is the span that ends it, not what is left of the delivery. */
static void
test_half_ticket_before_content(void)
{
	g_autoptr(Tlspeer) server = connected();
	g_autoptr(Message) message = tlspeer_message("a line\n");
	g_autoptr(GError) error = NULL;
	g_autofree char *heard = NULL;

	send_half_ticket(server);
	g_assert_false(peer_send_content(server->talk->peer, message, SPAN,
	    FOREVER, &error));
	g_assert_error(error, PEER_ERROR, PEER_ERROR_TIMEOUT);
	heard = tlspeer_heard(server);
	g_assert_cmpstr(heard, ==, "");
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
	g_test_add_func("/silence/replies alone", test_plain);
	g_test_add_func("/silence/tickets", test_tickets);
	g_test_add_func("/silence/tickets amid content",
	    test_tickets_amid_content);
	g_test_add_func("/silence/before a reply", test_hidden_reply);
	g_test_add_func("/silence/a reply in the same record",
	    test_hidden_in_record);
	g_test_add_func("/flood/before a reply", test_flood_before_reply);
	g_test_add_func("/flood/before a command", test_flood_before_command);
	g_test_add_func("/flood/without end", test_flood);
	g_test_add_func("/half/a record", test_half_record);
	g_test_add_func("/half/a ticket that nobody reads",
	    test_half_ticket_unread);
	g_test_add_func("/half/a ticket before a command",
	    test_half_ticket_before_command);
	g_test_add_func("/half/a ticket and the end, before a command",
	    test_half_ticket_and_end);
	g_test_add_func("/half/a ticket and the other half",
	    test_ticket_in_halves);
	g_test_add_func("/half/a ticket before the content",
	    test_half_ticket_before_content);
	status = g_test_run();
	identity_clear(&identity);
	return status;
}
