/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lookups against a DNS server that misbehaves.
 */
#include <config.h>

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "address/endpoint.h"
#include "unit/lookup.h"

#define PATIENCE (20 * G_USEC_PER_SEC)
#define SHORT    (G_USEC_PER_SEC / 5)

enum manner {
	RECORDS,
	SILENCE,
	EMPTY,      /* a datagram without content */
	NOISE,      /* one that is no DNS message */
	OTHER_NAME, /* the answer to another question */
};

struct answer {
	enum manner manner;
	guint8 rcode;
	guint8 count;
	const char *records;
	gsize length;
};

#define WITH(count, text)                                                      \
	{                                                                      \
		RECORDS, 0, count, text, sizeof(text) - 1                      \
	}
#define RCODE(rcode)                                                           \
	{                                                                      \
		RECORDS, rcode, 0, NULL, 0                                     \
	}
#define RR(type, length, rdata)                                                \
	"\xc0\x0c\0" type "\0\x01\0\0\0\x3c\0" length rdata
#define A_RR        RR("\x01", "\x04", "\xc0\0\x02\x01")
#define MX_RR(name) RR("\x0f", "\x07", "\0\1" name)
#define AAAA_RR     RR("\x1c", "\x10", "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01")

static const struct answer silence = {.manner = SILENCE};
static const struct answer empty = {.manner = EMPTY};
static const struct answer noise = {.manner = NOISE};
static const struct answer other_name = {.manner = OTHER_NAME};
static const struct answer nodata = RCODE(0);
static const struct answer formerr = RCODE(1);
static const struct answer servfail = RCODE(2);
static const struct answer nxdomain = RCODE(3);
static const struct answer notimp = RCODE(4);
static const struct answer refused = RCODE(5);
static const struct answer a = WITH(1, A_RR);
static const struct answer aaaa = WITH(1, AAAA_RR);
static const struct answer missing = WITH(9, A_RR);
static const struct answer cut = WITH(1, "\xc0\x0c\0\x01\0");
static const struct answer loop = WITH(1, "\xc0\x1a\0\x01\0\x01\0\0\0\0\0\0");
static const struct answer overlong = WITH(1, RR("\x0f", "\xff", "\0\x01"));
static const struct answer short_mx = WITH(1, RR("\x0f", "\x01", "\0"));
static const struct answer odd_mx =
    WITH(3, MX_RR("\3a b\0") MX_RR("\3a/b\0") MX_RR("\3a\0b\0"));
static const struct answer not_mx = WITH(1, A_RR);

/* What a server says of A and AAAA, and what that makes of the host. */
static const struct misbehaved_host {
	const char *says;
	const struct answer *in;
	const struct answer *in6;
	const char *expected;
} misbehaved_hosts[] = {
    {"two good answers", &a, &aaaa, "192.0.2.1 2001:db8::1"},
    {"silence", &silence, &silence, LOOKUP_NO_ANSWER},
    {"empty datagrams", &empty, &empty, LOOKUP_NO_ANSWER},
    {"noise", &noise, &noise, LOOKUP_NO_ANSWER},
    {"answers to another question", &other_name, &other_name, LOOKUP_NO_ANSWER},
    {"no such name", &nxdomain, &nxdomain, LOOKUP_NO_NAME},
    {"no such records", &nodata, &nodata, LOOKUP_NO_ADDRESS},
    {"failure", &servfail, &servfail, LOOKUP_NO_SERVER},
    {"refusal", &refused, &refused, LOOKUP_NO_SERVER},
    {"a format error", &formerr, &formerr, LOOKUP_TEMPORARY "*"},
    {"not implemented", &notimp, &notimp, LOOKUP_TEMPORARY "*"},
    {"failure of A only", &servfail, &aaaa, "2001:db8::1"},
    {"failure of AAAA only", &a, &servfail, "192.0.2.1"},
    {"no such name for AAAA only", &a, &nxdomain, "192.0.2.1"},
    {"failure of A, no AAAA", &servfail, &nodata, LOOKUP_NO_SERVER},
    {"no A, failure of AAAA", &nodata, &servfail, LOOKUP_NO_SERVER},
    {"failure of A, no such name for AAAA", &servfail, &nxdomain,
	LOOKUP_NO_SERVER},
    {"silence about A, no AAAA", &silence, &nodata, LOOKUP_NO_ANSWER},
    {"fewer records than announced", &missing, &nodata, LOOKUP_TEMPORARY "*"},
    {"a record that is cut short", &cut, &nodata, LOOKUP_TEMPORARY "*"},
    {"a name that points at itself", &loop, &loop, LOOKUP_TEMPORARY "*"},
    {"a malformed A beside a good AAAA", &cut, &aaaa, "2001:db8::1"},
    {"a malformed AAAA beside a good A", &a, &cut, "192.0.2.1"},
};

static const struct misbehaved_mx {
	const char *says;
	const struct answer *answer;
	const char *expected;
} misbehaved_mxs[] = {
    {"silence", &silence, LOOKUP_NO_ANSWER},
    {"an empty datagram", &empty, LOOKUP_NO_ANSWER},
    {"noise", &noise, LOOKUP_NO_ANSWER},
    {"an answer to another question", &other_name, LOOKUP_NO_ANSWER},
    {"failure", &servfail, LOOKUP_NO_SERVER},
    {"refusal", &refused, LOOKUP_NO_SERVER},
    {"a format error", &formerr, LOOKUP_TEMPORARY "*"},
    {"no such name", &nxdomain, LOOKUP_NO_NAME},
    {"no MX", &nodata, LOOKUP_NO_MX},
    {"another type than asked for", &not_mx, LOOKUP_NO_MX},
    {"an MX that is cut short", &short_mx, LOOKUP_TEMPORARY "*"},
    {"an MX longer than the answer", &overlong, LOOKUP_TEMPORARY "*"},
    {"a name that points at itself", &loop, LOOKUP_TEMPORARY "*"},
    {"names with blanks, slashes and NUL", &odd_mx,
	LOOKUP_TEMPORARY "no usable MX"},
};

/* A DNS server that says what it is told to. */
struct server {
	int socket;
	int stop[2];
	char *address;
	const struct answer *in;
	const struct answer *in6;
	const struct answer *mx;
	int inherited; /* descriptors that a program would inherit */
	GThread *thread;
};

static int
count_inherited(void)
{
	int count = 0;

	for (int fd = 0; fd < 64; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && (flags & FD_CLOEXEC) == 0)
			count++;
	}
	return count;
}

/* @query: header and one question, so that its type is near its end. */
static const struct answer *
choose_answer(const struct server *server, const guint8 *query, gsize length)
{
	switch (query[length - 3]) {
	case 1:
		return server->in;
	case 28:
		return server->in6;
	default:
		return server->mx;
	}
}

static void
send_answer(const struct server *server, const struct answer *answer,
    guint8 *message, gsize length, const struct endpoint *peer)
{
	switch (answer->manner) {
	case SILENCE:
		return;
	case EMPTY:
		length = 0;
		break;
	case NOISE:
		memset(message + 2, 0xff, length - 2);
		break;
	case OTHER_NAME:
		message[13] ^= 1;
		break;
	case RECORDS:
		break;
	}
	if (answer->manner == RECORDS) {
		message[2] |= 0x80;
		message[3] = 0x80 | answer->rcode;
		message[7] = answer->count;
		if (answer->length > 0)
			memcpy(message + length, answer->records,
			    answer->length);
		length += answer->length;
	}
	sendto(server->socket, message, length, 0, &peer->sa.any, peer->length);
}

static void *
serve(void *data)
{
	struct server *server = data;
	guint8 message[1024];

	for (;;) {
		struct pollfd fds[] = {{server->socket, POLLIN, 0},
		    {server->stop[0], POLLIN, 0}};
		struct endpoint peer = {.length = sizeof(peer.sa)};
		ssize_t length;

		g_assert_cmpint(poll(fds, 2, -1), >, 0);
		if (fds[1].revents != 0)
			return NULL;
		length = recvfrom(server->socket, message, 512, 0, &peer.sa.any,
		    &peer.length);
		g_assert_cmpint(length, >, 17);
		server->inherited = count_inherited();
		send_answer(server,
		    choose_answer(server, message, (gsize)length), message,
		    (gsize)length, &peer);
	}
}

static void
server_start(struct server *server)
{
	struct endpoint endpoint;
	socklen_t length = sizeof(endpoint.sa);

	g_assert_true(endpoint_parse("127.0.0.1", 0, &endpoint));
	server->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(server->socket, >=, 0);
	g_assert_cmpint(bind(server->socket, &endpoint.sa.any, length), ==, 0);
	g_assert_cmpint(getsockname(server->socket, &endpoint.sa.any, &length),
	    ==, 0);
	g_assert_cmpint(pipe2(server->stop, O_CLOEXEC), ==, 0);
	server->address =
	    g_strdup_printf("127.0.0.1:%d", endpoint_port(&endpoint));
	server->thread = g_thread_new("server", serve, server);
}

static void
server_stop(struct server *server)
{
	close(server->stop[1]);
	g_thread_join(server->thread);
	close(server->stop[0]);
	close(server->socket);
	g_free(server->address);
}

static void
test_misbehaved_host(gconstpointer data)
{
	const struct misbehaved_host *row = data;
	struct server server = {.in = row->in, .in6 = row->in6};
	g_autofree char *text = NULL;
	gboolean hangs = g_str_equal(row->expected, LOOKUP_NO_ANSWER);

	server_start(&server);
	text = lookup_addresses(server.address, "some.test",
	    hangs ? SHORT : PATIENCE);
	server_stop(&server);
	lookup_assert(text, row->expected);
}

static void
test_misbehaved_mx(gconstpointer data)
{
	const struct misbehaved_mx *row = data;
	struct server server = {.mx = row->answer};
	g_autofree char *text = NULL;
	gboolean hangs = g_str_equal(row->expected, LOOKUP_NO_ANSWER);

	server_start(&server);
	text = lookup_mx(server.address, "some.test", hangs ? SHORT : PATIENCE);
	server_stop(&server);
	lookup_assert(text, row->expected);
}

/* No program that the agent starts, or becomes, gets these sockets. */
static void
test_close_on_exec(void)
{
	struct server server = {.in = &a, .in6 = &aaaa};
	g_autofree char *text = NULL;
	int before = count_inherited();

	server_start(&server);
	text = lookup_addresses(server.address, "some.test", PATIENCE);
	server_stop(&server);
	lookup_assert(text, "192.0.2.1 2001:db8::1");
	g_assert_cmpint(server.inherited, ==, before);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(misbehaved_hosts); i++) {
		g_autofree char *path = g_strdup_printf("/resolve/address/%s",
		    misbehaved_hosts[i].says);

		g_test_add_data_func(path, &misbehaved_hosts[i],
		    test_misbehaved_host);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(misbehaved_mxs); i++) {
		g_autofree char *path =
		    g_strdup_printf("/resolve/mx/%s", misbehaved_mxs[i].says);

		g_test_add_data_func(path, &misbehaved_mxs[i],
		    test_misbehaved_mx);
	}
	g_test_add_func("/resolve/sockets close on exec", test_close_on_exec);
	return g_test_run();
}
