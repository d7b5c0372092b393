/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "address/endpoint.h"
#include "unit/dnsserver.h"

enum {
	TYPE_A = 1,
	TYPE_AAAA = 28,
};

int
dns_server_inherited(void)
{
	int count = 0;

	for (int fd = 0; fd < 64; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && (flags & FD_CLOEXEC) == 0)
			count++;
	}
	return count;
}

/* Where the question ends.  Its type and class are the last four bytes. */
static guint
question_end(const GByteArray *query)
{
	guint end = DNS_HEADER;

	while (end < query->len && query->data[end] != 0)
		end += 1 + query->data[end];
	end += 1 + 4;
	g_assert_cmpuint(end, <=, query->len);
	return end;
}

static const struct dns_answer *
choose_answer(const struct dns_server *server)
{
	const GByteArray *query = server->query;

	switch (query->data[question_end(query) - 3]) {
	case TYPE_A:
		return server->a;
	case TYPE_AAAA:
		return server->aaaa;
	default:
		return server->other;
	}
}

static void
append_number(GByteArray *bytes, guint16 number)
{
	guint16 big = GUINT16_TO_BE(number);

	g_byte_array_append(bytes, (const guint8 *)&big, sizeof(big));
}

/* The message with which @query is answered. */
static GByteArray *
make_message(const struct dns_answer *answer, const GByteArray *query)
{
	gboolean asks = answer->manner != DNS_NO_QUESTION;
	GByteArray *message = g_byte_array_new();

	g_byte_array_append(message, query->data, 2);
	append_number(message, answer->flags);
	append_number(message, asks ? 1 : 0);
	append_number(message, answer->count);
	append_number(message, 0);
	append_number(message, 0);
	if (asks)
		g_byte_array_append(message, query->data + DNS_HEADER,
		    question_end(query) - DNS_HEADER);
	if (answer->length > 0)
		g_byte_array_append(message, (const guint8 *)answer->records,
		    (guint)answer->length);
	if (answer->manner == DNS_OTHER_ID)
		message->data[0] ^= 1;
	if (answer->manner == DNS_OTHER_NAME)
		message->data[DNS_HEADER + 2] ^= 1;
	if (answer->manner == DNS_NOISE)
		memset(message->data + 2, 0xff, message->len - 2);
	return message;
}

/* As a server that has to ask others, whose answers take that long. */
static gboolean
is_ready(struct dns_server *server)
{
	gint64 now = g_get_monotonic_time();

	if (server->first == 0)
		server->first = now;
	return now - server->first >= 2 * G_USEC_PER_SEC;
}

static void
answer_udp(struct dns_server *server)
{
	struct endpoint peer = {.length = sizeof(peer.sa)};
	const struct dns_answer *answer;
	g_autoptr(GByteArray) message = NULL;
	guint8 buffer[512];
	ssize_t length = recvfrom(server->udp, buffer, sizeof(buffer), 0,
	    &peer.sa.any, &peer.length);

	g_assert_cmpint(length, >, DNS_HEADER);
	g_byte_array_set_size(server->query, 0);
	g_byte_array_append(server->query, buffer, (guint)length);
	server->asked++;
	server->inherited = dns_server_inherited();
	answer = choose_answer(server);
	if (answer->manner == DNS_SILENCE)
		return;
	if (answer->manner == DNS_SLOW && !is_ready(server))
		return;
	message = make_message(answer, server->query);
	sendto(server->udp, message->data,
	    answer->manner == DNS_EMPTY ? 0 : message->len, 0, &peer.sa.any,
	    peer.length);
}

static gboolean
read_all(int fd, guint8 *buffer, gsize size)
{
	while (size > 0) {
		ssize_t length = read(fd, buffer, size);

		if (length <= 0)
			return FALSE;
		buffer += length;
		size -= (gsize)length;
	}
	return TRUE;
}

static void
write_framed(int fd, const struct dns_answer *answer, const GByteArray *message)
{
	g_autoptr(GByteArray) framed = g_byte_array_new();

	if (answer->manner == DNS_EMPTY)
		return;
	append_number(framed, (guint16)message->len);
	g_byte_array_append(framed, message->data,
	    answer->manner == DNS_CUT ? message->len / 2 : message->len);
	g_assert_cmpint(write(fd, framed->data, framed->len), ==, framed->len);
}

/* One question.  Leaves the connection open where more is waited for. */
static int
answer_tcp(struct dns_server *server)
{
	const struct dns_answer *answer = server->by_tcp;
	int fd = accept4(server->tcp, NULL, NULL, SOCK_CLOEXEC);
	guint8 head[2];

	g_assert_cmpint(fd, >=, 0);
	if (answer != NULL && answer->manner == DNS_SILENCE)
		return fd;
	if (read_all(fd, head, sizeof(head))) {
		g_autoptr(GByteArray) message = NULL;

		g_byte_array_set_size(server->query,
		    (guint)head[0] << 8 | head[1]);
		g_assert_true(
		    read_all(fd, server->query->data, server->query->len));
		if (answer == NULL)
			answer = choose_answer(server);
		message = make_message(answer, server->query);
		write_framed(fd, answer, message);
	}
	if (answer != NULL && answer->manner == DNS_OTHER_NAME)
		return fd;
	close(fd);
	return -1;
}

static void *
serve(void *data)
{
	struct dns_server *server = data;
	g_autoptr(GArray) held = g_array_new(FALSE, FALSE, sizeof(int));

	for (;;) {
		struct pollfd fds[] = {{server->stop[0], POLLIN, 0},
		    {server->udp, POLLIN, 0}, {server->tcp, POLLIN, 0}};

		g_assert_cmpint(poll(fds, 3, -1), >, 0);
		if (fds[0].revents != 0)
			break;
		if (fds[1].revents != 0)
			answer_udp(server);
		if (fds[2].revents != 0) {
			int fd = answer_tcp(server);

			if (fd >= 0)
				g_array_append_val(held, fd);
		}
	}
	for (guint i = 0; i < held->len; i++)
		close(g_array_index(held, int, i));
	return NULL;
}

static gboolean
bind_to(int type, guint16 port, int *ret_fd, guint16 *ret_port)
{
	struct endpoint endpoint;
	socklen_t length = sizeof(endpoint.sa);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	g_assert_cmpint(fd, >=, 0);
	g_assert_true(endpoint_parse("127.0.0.1", port, &endpoint));
	if (bind(fd, &endpoint.sa.any, endpoint.length) < 0) {
		close(fd);
		return FALSE;
	}
	g_assert_cmpint(getsockname(fd, &endpoint.sa.any, &length), ==, 0);
	*ret_fd = fd;
	*ret_port = endpoint_port(&endpoint);
	return TRUE;
}

void
dns_server_start(struct dns_server *server)
{
	guint16 port;

	/* Somebody may have the port of TCP: then another one. */
	for (;;) {
		g_assert_true(bind_to(SOCK_DGRAM, 0, &server->udp, &port));
		if (bind_to(SOCK_STREAM, port, &server->tcp, &port))
			break;
		close(server->udp);
	}
	g_assert_cmpint(listen(server->tcp, 8), ==, 0);
	g_assert_cmpint(pipe2(server->stop, O_CLOEXEC), ==, 0);
	server->address = g_strdup_printf("127.0.0.1:%d", port);
	server->query = g_byte_array_new();
	server->thread = g_thread_new("server", serve, server);
}

void
dns_server_stop(struct dns_server *server)
{
	close(server->stop[1]);
	g_thread_join(server->thread);
	close(server->stop[0]);
	close(server->udp);
	close(server->tcp);
	g_byte_array_unref(server->query);
	g_free(server->address);
}
