/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <fcntl.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "unit/talk.h"
#include "util/autofd.h"

struct talk *
talk_over(int ours, int theirs)
{
	struct talk *talk = g_new0(struct talk, 1);

	g_assert_no_errno(fcntl(ours, F_SETFL, O_NONBLOCK));
	talk->ours = ours;
	talk->theirs = theirs;
	talk->peer = peer_new(ours);
	talk->got = g_string_new(NULL);
	return talk;
}

struct talk *
talk_over_tcp(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr *any = (struct sockaddr *)&address;
	socklen_t length = sizeof(address);
	autofd listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ours = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int theirs;

	g_assert_no_errno(bind(listener, any, length));
	g_assert_no_errno(listen(listener, 1));
	g_assert_no_errno(getsockname(listener, any, &length));
	g_assert_no_errno(connect(ours, any, length));
	theirs = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	g_assert_cmpint(theirs, >=, 0);
	return talk_over(ours, theirs);
}

struct talk *
talk_new(void)
{
	int pair[2];

	g_assert_no_errno(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	return talk_over(pair[0], pair[1]);
}

const GString *
talk_end(struct talk *talk)
{
	shutdown(talk->ours, SHUT_WR);
	g_clear_pointer(&talk->host, g_thread_join);
	return talk->got;
}

void
talk_free(struct talk *talk)
{
	shutdown(talk->ours, SHUT_RDWR);
	talk_end(talk);
	peer_free(talk->peer);
	autofd_clear(&talk->ours);
	autofd_clear(&talk->theirs);
	g_string_free(talk->got, TRUE);
	g_free(talk);
}

void
talk_say(const struct talk *talk, const char *text)
{
	gsize length = strlen(text);

	g_assert_cmpint(send(talk->theirs, text, length, MSG_NOSIGNAL), ==,
	    length);
}

/* FALSE: there is no more. */
static gboolean
host_read(struct talk *talk)
{
	char buffer[5000];
	gssize n = recv(talk->theirs, buffer, sizeof(buffer), 0);

	if (n > 0)
		g_string_append_len(talk->got, buffer, n);
	return n > 0;
}

static gpointer
host_thread(gpointer data)
{
	struct talk *talk = data;
	gsize length = strlen(talk->text);

	while (talk->got->len < talk->reads && host_read(talk))
		continue;
	for (gsize i = 0; i < length; i += talk->piece)
		if (send(talk->theirs, talk->text + i,
			MIN(talk->piece, length - i), MSG_NOSIGNAL) < 0)
			break;
	while (talk->reads_on && host_read(talk))
		continue;
	shutdown(talk->theirs, SHUT_RDWR);
	return NULL;
}

void
talk_start_host(struct talk *talk, gsize reads, const char *text, gsize piece)
{
	talk->reads = reads;
	talk->text = text;
	talk->piece = piece;
	talk->host = g_thread_new("host", host_thread, talk);
}

void
talk_start_reader(struct talk *talk)
{
	talk->reads_on = TRUE;
	talk_start_host(talk, 0, "", 1);
}
