/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include <glib.h>
#include <openssl/ssl.h>

#include "unit/table.h"
#include "unit/talk.h"
#include "util/autofd.h"

/* What a host says, and what it is taken for. */
static const struct speech {
	const char *says;
	const char *text;
	int code; /* 0: not a reply, but ... */
	enum peer_error error;
	gboolean more; /* is there something left? */
} speeches[] = {
    {"a reply", "250 Ok\r\n", 250, 0, FALSE},
    {"a reply of several lines", "250-a\r\n250-b\r\n250 c\r\n", 250, 0, FALSE},
    {"a doubled reply", "250 a\r\n250 a\r\n", 250, 0, TRUE},
    {"a reply and the beginning of another", "250 a\r\n2", 250, 0, TRUE},
    {"an empty line and a reply", "\r\n250 Ok\r\n", 250, 0, FALSE},
    {"a reply and an empty line", "250 Ok\r\n\r\n", 250, 0, FALSE},
    {"a reply, an empty line and another", "250 a\r\n\r\n550 b\r\n", 250, 0,
	TRUE},
    {"an empty line", "\r\n", 0, PEER_ERROR_LOST, FALSE},
    {"nothing", "", 0, PEER_ERROR_LOST, FALSE},
    {"half a line", "250 Ok", 0, PEER_ERROR_LOST, TRUE},
    {"a line without its LF", "250 Ok\r", 0, PEER_ERROR_LOST, TRUE},
    {"half a reply", "250-a\r\n", 0, PEER_ERROR_LOST, TRUE},
    {"what is no reply", "hello\r\n", 0, PEER_ERROR_NONSENSE, TRUE},
    {"lines of different codes", "250-a\r\n550 b\r\n", 0, PEER_ERROR_NONSENSE,
	TRUE},
};

static void
test_speech(gconstpointer data)
{
	static const gsize pieces[] = {1, 3, 100};
	const struct speech *row = data;

	for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
		g_autoptr(Talk) talk = talk_new();
		g_autoptr(GError) error = NULL;
		g_autoptr(Reply) reply = NULL;

		talk_start_host(talk, 0, row->text, pieces[i]);
		reply = peer_reply(talk->peer, FOREVER, &error);
		if (row->code != 0) {
			g_assert_no_error(error);
			g_assert_cmpint(reply->code, ==, row->code);
		} else {
			g_assert_null(reply);
			g_assert_error(error, PEER_ERROR, (int)row->error);
		}
		talk_end(talk);
		/* It has closed, at least. */
		g_assert_true(peer_has_spoken(talk->peer));
	}
}

/* As above, but the host stays silent then instead of closing. */
static void
test_silence(gconstpointer data)
{
	const struct speech *row = data;
	g_autoptr(Talk) talk = talk_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(Reply) reply = NULL;

	talk_say(talk, row->text);
	reply = peer_reply(talk->peer, deadline_in(1000), &error);
	if (row->code != 0)
		g_assert_cmpint(reply->code, ==, row->code);
	else if (row->error == PEER_ERROR_LOST)
		g_assert_error(error, PEER_ERROR, PEER_ERROR_TIMEOUT);
	else
		g_assert_error(error, PEER_ERROR, (int)row->error);
	g_assert_cmpint(peer_has_spoken(talk->peer), ==, row->more);
}

/* What came before a deadline is not lost. */
static void
test_slow(void)
{
	g_autoptr(Talk) talk = talk_new();
	g_autoptr(GError) late = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(Reply) reply = NULL;

	talk_say(talk, "250-a\r\n25");
	g_assert_null(peer_reply(talk->peer, deadline_in(1000), &late));
	g_assert_error(late, PEER_ERROR, PEER_ERROR_TIMEOUT);
	talk_say(talk, "0 b\r\n");
	reply = peer_reply(talk->peer, FOREVER, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(reply->lines->len, ==, 2);
}

static void
test_one_by_one(void)
{
	static const int codes[] = {250, 550, 354};
	g_autoptr(Talk) talk = talk_new();

	g_assert_false(peer_has_spoken(talk->peer));
	talk_say(talk, "250 a\r\n550 b\r\n354 c\r\n");
	for (gsize i = 0; i < G_N_ELEMENTS(codes); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(Reply) reply = NULL;

		g_assert_true(peer_has_spoken(talk->peer));
		reply = peer_reply(talk->peer, FOREVER, &error);
		g_assert_no_error(error);
		g_assert_cmpint(reply->code, ==, codes[i]);
	}
	g_assert_false(peer_has_spoken(talk->peer));
}

/* A host that talks without end is stopped, not listened to. */
static void
test_endless(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(Talk) talk = talk_new();
	g_autoptr(GError) error = NULL;

	while (text->len < 2 * REPLY_MAX)
		g_string_append(text, "250-and so on\r\n");
	talk_start_host(talk, 0, text->str, 1000);
	g_assert_null(peer_reply(talk->peer, FOREVER, &error));
	g_assert_error(error, PEER_ERROR, PEER_ERROR_NONSENSE);
}

static void
test_reset(void)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 0};
	g_autoptr(Talk) talk = talk_over_tcp();
	g_autoptr(GError) receiving = NULL;
	g_autoptr(GError) sending = NULL;

	g_assert_no_errno(setsockopt(talk->theirs, SOL_SOCKET, SO_LINGER,
	    &linger, sizeof(linger)));
	autofd_clear(&talk->theirs);
	g_assert_null(peer_reply(talk->peer, FOREVER, &receiving));
	g_assert_error(receiving, PEER_ERROR, PEER_ERROR_LOST);
	g_assert_cmpstr(receiving->message, ==,
	    "connection lost: Connection reset by peer");
	g_assert_false(peer_send(talk->peer, "QUIT\r\n", 6, FOREVER, &sending));
	g_assert_error(sending, PEER_ERROR, PEER_ERROR_LOST);
}

static void
test_send_closed(void)
{
	g_autoptr(Talk) talk = talk_new();
	g_autoptr(GError) error = NULL;

	autofd_clear(&talk->theirs);
	g_assert_false(peer_send(talk->peer, "QUIT\r\n", 6, FOREVER, &error));
	g_assert_error(error, PEER_ERROR, PEER_ERROR_LOST);
}

/* The socket takes it in many pieces. */
static void
test_send_huge(void)
{
	g_autofree char *data = g_strnfill(HUGE_SIZE, 'x');
	g_autoptr(Talk) talk = talk_new();
	g_autoptr(GError) error = NULL;
	const GString *got;

	for (gsize i = 0; i < HUGE_SIZE; i += 1000)
		data[i] = (char)('a' + i % 26);
	talk_start_reader(talk);
	g_assert_true(peer_send(talk->peer, data, HUGE_SIZE, FOREVER, &error));
	g_assert_no_error(error);
	got = talk_end(talk);
	g_assert_cmpmem(got->str, got->len, data, HUGE_SIZE);
}

static void
test_send_deaf(void)
{
	g_autofree char *data = g_strnfill(HUGE_SIZE, 'x');
	g_autoptr(Talk) talk = talk_new();
	g_autoptr(GError) error = NULL;

	g_assert_false(
	    peer_send(talk->peer, data, HUGE_SIZE, deadline_in(1000), &error));
	g_assert_error(error, PEER_ERROR, PEER_ERROR_TIMEOUT);
}

/* What the host says, and whether the next wait has it acknowledged. */
static const struct heard {
	const char *says;
	const char *text;
	int acknowledged;
} heard[] = {
    {"nothing yet", "", 0},
    {"half a reply", "250-a\r\n", 1},
    {"half a line", "25", 1},
};

static void
put_acknowledging_off(const struct talk *talk)
{
	int off = 0;

	g_assert_no_errno(setsockopt(talk->ours, IPPROTO_TCP, TCP_QUICKACK,
	    &off, sizeof(off)));
}

static int
is_acknowledging(const struct talk *talk)
{
	socklen_t size = sizeof(int);
	int on = 0;

	g_assert_no_errno(
	    getsockopt(talk->ours, IPPROTO_TCP, TCP_QUICKACK, &on, &size));
	return on;
}

/* Linux has it until it thinks better: each wait asks for it anew. */
static void
test_acknowledged(gconstpointer data)
{
	const struct heard *row = data;
	g_autoptr(Talk) talk = talk_over_tcp();

	talk_say(talk, row->text);
	for (int waits = 0; waits < 2; waits++) {
		g_autoptr(GError) error = NULL;

		put_acknowledging_off(talk);
		g_assert_null(peer_reply(talk->peer, deadline_in(0), &error));
		g_assert_error(error, PEER_ERROR, PEER_ERROR_TIMEOUT);
		g_assert_cmpint(is_acknowledging(talk), ==, row->acknowledged);
	}
}

/* A host's hello comes in pieces, too. */
static void
test_handshake_acknowledged(void)
{
	g_autoptr(Talk) talk = talk_over_tcp();
	const struct tls_policy policy = {.level = TLS_ENCRYPT,
	    .min_protocol = TLS1_2_VERSION};
	g_autoptr(GError) error = NULL;

	put_acknowledging_off(talk);
	g_assert_false(
	    peer_start_tls(talk->peer, &policy, deadline_in(0), &error));
	g_assert_error(error, PEER_ERROR, PEER_ERROR_TIMEOUT);
	g_assert_cmpint(is_acknowledging(talk), ==, 1);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("closes after", speeches, test_speech);
	TABLE_ADD("is silent after", speeches, test_silence);
	g_test_add_func("/reply/in time after all", test_slow);
	g_test_add_func("/reply/one by one", test_one_by_one);
	g_test_add_func("/reply/without end", test_endless);
	g_test_add_func("/reply/reset", test_reset);
	TABLE_ADD("acknowledges at once", heard, test_acknowledged);
	g_test_add_func("/handshake/acknowledged at once",
	    test_handshake_acknowledged);
	g_test_add_func("/send/closed", test_send_closed);
	g_test_add_func("/send/in many pieces", test_send_huge);
	g_test_add_func("/send/nobody reads", test_send_deaf);
	return g_test_run();
}
