/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>

#include "unit/talk.h"
#include "util/autofd.h"

/* A message of at least @size bytes, all of whose lines have a dot. */
static struct message *
message_of(gsize size)
{
	autofd fd = memfd_create("peer-test", MFD_CLOEXEC);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	struct message *message;

	while (text->len < size)
		g_string_append(text, ".a line of the content\n");
	g_assert_cmpint(write(fd, text->str, text->len), ==, text->len);
	g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
	message = message_read(fd, g_get_tmp_dir(), FOREVER, &error);
	g_assert_no_error(error);
	return message;
}

static void
assert_content(const GString *got, struct message *message)
{
	guint64 end = message_wire_length(message);
	const char *data;
	gsize length;

	g_assert_cmpuint(got->len, ==, end);
	for (guint64 i = 0; i < end; i += length) {
		g_assert_true(message_piece(message, i, &data, &length, NULL));
		g_assert_cmpmem(got->str + i, length, data, length);
	}
}

/* In memory and in a file, to a host that reads all. */
static void
test_content(void)
{
	static const gsize sizes[] = {0, 1, 1000, MESSAGE_MEMORY_MAX * 4};

	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autoptr(Message) message = message_of(sizes[i]);
		g_autoptr(Talk) talk = talk_new();
		g_autoptr(GError) error = NULL;
		g_autoptr(Reply) reply = NULL;

		talk_start_host(talk, message_wire_length(message),
		    "250 Ok\r\n", 100);
		g_assert_true(peer_send_content(talk->peer, message, MINUTES,
		    FOREVER, &error));
		g_assert_no_error(error);
		reply = peer_reply(talk->peer, FOREVER, &error);
		g_assert_no_error(error);
		g_assert_cmpint(reply->code, ==, 250);
		assert_content(talk_end(talk), message);
	}
}

/* @code: of what peer_reply() returns then. */
static void
assert_premature(struct talk *talk, struct message *message, int code)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Reply) reply = NULL;

	g_assert_false(
	    peer_send_content(talk->peer, message, MINUTES, FOREVER, &error));
	g_assert_error(error, PEER_ERROR, PEER_ERROR_SPOKE);
	reply = peer_reply(talk->peer, FOREVER, NULL);
	g_assert_nonnull(reply);
	g_assert_cmpint(reply->code, ==, code);
}

static void
assert_nothing_sent(const struct talk *talk)
{
	char byte;

	g_assert_cmpint(recv(talk->theirs, &byte, 1, MSG_DONTWAIT), ==, -1);
}

/* Both replies were read at once, so that poll(2) sees nothing. */
static void
test_premature_read(void)
{
	g_autoptr(Message) message = message_of(1000);
	g_autoptr(Talk) talk = talk_new();
	g_autoptr(Reply) go = NULL;

	talk_say(talk, "354 go\r\n250 Ok\r\n");
	go = peer_reply(talk->peer, FOREVER, NULL);
	g_assert_cmpint(go->code, ==, 354);
	assert_premature(talk, message, 250);
	assert_nothing_sent(talk);
}

static void
test_premature_unread(void)
{
	g_autoptr(Message) message = message_of(1000);
	g_autoptr(Talk) talk = talk_new();

	talk_say(talk, "250 Ok\r\n");
	assert_premature(talk, message, 250);
	assert_nothing_sent(talk);
}

/* The host speaks when it has read a part. */
static void
test_premature_amid(void)
{
	g_autoptr(Message) message = message_of(HUGE_SIZE);
	g_autoptr(Talk) talk = talk_new();

	talk->reads_on = TRUE;
	talk_start_host(talk, 100000, "552 too big\r\n", 100);
	assert_premature(talk, message, 552);
	g_assert_cmpuint(talk_end(talk)->len, <, message_wire_length(message));
}

/* The end of what a host says, or that nobody reads, comes first. */
static void
test_closed_amid(void)
{
	g_autoptr(Message) message = message_of(HUGE_SIZE);
	g_autoptr(Talk) talk = talk_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) lost = NULL;

	talk_start_host(talk, 100000, "", 1);
	g_assert_false(
	    peer_send_content(talk->peer, message, MINUTES, FOREVER, &error));
	if (!g_error_matches(error, PEER_ERROR, PEER_ERROR_SPOKE))
		g_assert_error(error, PEER_ERROR, PEER_ERROR_LOST);
	g_assert_null(peer_reply(talk->peer, FOREVER, &lost));
	g_assert_error(lost, PEER_ERROR, PEER_ERROR_LOST);
	g_assert_cmpuint(talk_end(talk)->len, <, message_wire_length(message));
}

static void
assert_content_late(gint64 span, gint64 left)
{
	g_autoptr(Message) message = message_of(HUGE_SIZE);
	g_autoptr(Talk) talk = talk_new();
	g_autoptr(GError) error = NULL;

	g_assert_false(peer_send_content(talk->peer, message, span,
	    deadline_in(left), &error));
	g_assert_error(error, PEER_ERROR, PEER_ERROR_TIMEOUT);
}

/* A host that stops reading holds us up for the given time only. */
static void
test_content_deaf(void)
{
	assert_content_late(1000, MINUTES);
	assert_content_late(MINUTES, 1000);
}

/* A host that takes all at once gets nothing after the deadline. */
static void
test_late(void)
{
	g_autoptr(Message) message = message_of(1000);
	g_autoptr(Talk) talk = talk_new();
	g_autoptr(GError) error = NULL;

	g_assert_false(peer_send_content(talk->peer, message, MINUTES,
	    deadline_in(0), &error));
	g_assert_error(error, PEER_ERROR, PEER_ERROR_TIMEOUT);
	assert_nothing_sent(talk);
}

/* The spool file loses its end. */
static void
test_content_missing(void)
{
	g_autoptr(Message) message = NULL;
	g_autoptr(Talk) talk = talk_new();
	g_autoptr(GError) error = NULL;
	const GString *got;
	/* The next but one: message_of() takes one for itself. */
	int input = dup(talk->ours);
	int file = dup(talk->ours);

	g_assert_no_errno(close(file));
	g_assert_no_errno(close(input));
	message = message_of(MESSAGE_MEMORY_MAX * 2);
	g_assert_no_errno(ftruncate(file, MESSAGE_MEMORY_MAX));
	talk_start_reader(talk);
	g_assert_false(
	    peer_send_content(talk->peer, message, MINUTES, FOREVER, &error));
	g_assert_error(error, MESSAGE_ERROR, MESSAGE_ERROR_SPOOL);
	got = talk_end(talk);
	g_assert_cmpuint(got->len, <, message_wire_length(message));
	g_assert_null(strstr(got->str, "\r\n.\r\n"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/verbatim", test_content);
	g_test_add_func("/two replies to DATA", test_premature_read);
	g_test_add_func("/a reply before it", test_premature_unread);
	g_test_add_func("/a reply amid it", test_premature_amid);
	g_test_add_func("/closed amid it", test_closed_amid);
	g_test_add_func("/nobody reads", test_content_deaf);
	g_test_add_func("/too late", test_late);
	g_test_add_func("/its end is missing", test_content_missing);
	return g_test_run();
}
