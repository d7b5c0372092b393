/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLSA records from a DNS server that misbehaves.  What is wrong with the
 * message itself is in tlsa-test.c.
 */
#include <config.h>

#include <arpa/nameser.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "address/endpoint.h"
#include "dns/tlsa.h"
#include "unit/lookup.h"
#include "unit/table.h"
#include "util/deadline.h"

#define PATIENCE (20 * G_USEC_PER_SEC)
#define SHORT    (G_USEC_PER_SEC / 5)

#define HOST "mx.test"
#define PORT 2525

#define NONE     "no TLSA records"
#define UNUSABLE "no usable TLSA records"
#define INSECURE "TLSA records without DNSSEC"

/* The flags of a header, as the 16 bits that they are in. */
enum {
	QR = 0x8000,
	TC = 0x0200,
	RD = 0x0100,
	RA = 0x0080,
	AD = 0x0020,
	OK = QR | RD | RA,
};

/* A header is that long, and the question's name begins behind it. */
#define HEADER 12

enum manner {
	ANSWER,
	SILENCE,
	EMPTY,       /* a datagram or a connection without content */
	OTHER_ID,    /* the answer to another question */
	OTHER_NAME,  /* to one for another name */
	NO_QUESTION, /* without the question */
	CUT,         /* by TCP: less than is announced */
};

struct answer {
	enum manner manner;
	guint16 flags; /* with the response code */
	guint16 count;
	const char *records;
	gsize length;
};

/* Of the question's name. */
#define RR(type, class, length, rdata)                                         \
	"\xc0\x0c\0" type "\0" class "\0\0\0\x3c" length rdata
#define TLSA(length, rdata) RR("\x34", "\x01", length, rdata)

#define DIGEST   "0123456789abcdef0123456789abcdef"
#define KEY      TLSA("\0\x23", "\3\1\1" DIGEST)
#define CA_KEY   TLSA("\0\x23", "\2\1\1" DIGEST)
#define KEY_TEXT "3 1 1 [32]"

#define SAYS(flags, count, text)                                               \
	{                                                                      \
		ANSWER, flags, count, text, sizeof(text) - 1                   \
	}
#define SECURE(count, text) SAYS(OK | AD, count, text)
#define RCODE(flags)        SAYS(OK | (flags), 0, "")
#define MANNER(manner)                                                         \
	{                                                                      \
		manner, OK | AD, 1, KEY, sizeof(KEY) - 1                       \
	}

/* What a server says, and what the agent makes of it. */
static const struct resolved {
	const char *says;
	struct answer answer;
	const char *expected;
} resolved[] = {
    {"a record", SECURE(1, KEY), KEY_TEXT},
    {"two records", SECURE(2, KEY CA_KEY), KEY_TEXT ", 2 1 1 [32]"},
    {"a record without AD", SAYS(OK, 1, KEY), INSECURE},
    {"AD without records", SECURE(0, ""), NONE},
    {"no records", RCODE(0), NONE},
    {"no such name", RCODE(3), NONE},
    {"no such name, with AD", RCODE(AD | 3), NONE},
    {"a format error", RCODE(1), LOOKUP_TEMPORARY "*"},
    {"a format error with AD", RCODE(AD | 1), LOOKUP_TEMPORARY "*"},
    {"failure", RCODE(2), LOOKUP_NO_SERVER},
    {"failure with AD", RCODE(AD | 2), LOOKUP_NO_SERVER},
    {"failure with a record", SAYS(OK | AD | 2, 1, KEY), LOOKUP_NO_SERVER},
    {"not implemented", RCODE(4), LOOKUP_TEMPORARY "*"},
    {"refusal", RCODE(5), LOOKUP_NO_SERVER},
    {"not authoritative", RCODE(9), LOOKUP_TEMPORARY "*"},
    {"an unknown code", RCODE(15), LOOKUP_TEMPORARY "*"},
    {"the question, without an answer", SAYS(RD | AD, 0, ""), "temporary: *"},
    {"silence", MANNER(SILENCE), LOOKUP_NO_ANSWER},
    {"an empty datagram", MANNER(EMPTY), LOOKUP_NO_ANSWER},
    {"an answer with another id", MANNER(OTHER_ID), LOOKUP_NO_ANSWER},
    {"an answer to another question", MANNER(OTHER_NAME), LOOKUP_NO_ANSWER},
    {"an answer without the question", MANNER(NO_QUESTION), LOOKUP_NO_ANSWER},

    {"no usable record", SECURE(1, TLSA("\0\3", "\3\1\1")), UNUSABLE},
    {"no usable record without AD", SAYS(OK, 1, TLSA("\0\3", "\3\1\1")),
	INSECURE},
    {"fewer records than announced", SECURE(2, KEY), LOOKUP_TEMPORARY "*"},
};

/* The same when UDP has said that it is too much (TC). */
static const struct by_tcp {
	const char *says;
	struct answer answer;
	const char *expected;
} by_tcp[] = {
    {"a record", SECURE(1, KEY), KEY_TEXT},
    {"a record without AD", SAYS(OK, 1, KEY), INSECURE},
    {"no records", RCODE(AD), NONE},
    {"failure", RCODE(2), LOOKUP_TEMPORARY "*"},
    {"too much for TCP too", SAYS(OK | AD | TC, 1, KEY), "temporary: *"},
    {"silence", MANNER(SILENCE), LOOKUP_NO_ANSWER},
    {"no answer, and the end", MANNER(EMPTY), LOOKUP_TEMPORARY "*"},
    {"half an answer, and the end", MANNER(CUT), LOOKUP_TEMPORARY "*"},
    {"an answer to another question", MANNER(OTHER_NAME), LOOKUP_NO_ANSWER},
};

/* A DNS server that says what it is told to, by UDP and TCP. */
struct server {
	int udp;
	int tcp;
	int stop[2];
	char *address;
	const struct answer *by_udp;
	const struct answer *by_tcp;
	GByteArray *query; /* the last one */
	GThread *thread;
};

static void
append_number(GByteArray *bytes, guint16 number)
{
	guint16 big = GUINT16_TO_BE(number);

	g_byte_array_append(bytes, (const guint8 *)&big, sizeof(big));
}

/* The message with which @query is answered. */
static GByteArray *
make_message(const struct answer *answer, const GByteArray *query)
{
	GByteArray *message = g_byte_array_new();

	g_byte_array_append(message, query->data, 2);
	append_number(message, answer->flags);
	append_number(message, answer->manner == NO_QUESTION ? 0 : 1);
	append_number(message, answer->count);
	append_number(message, 0);
	append_number(message, 0);
	if (answer->manner != NO_QUESTION)
		g_byte_array_append(message, query->data + HEADER,
		    query->len - HEADER);
	if (answer->length > 0)
		g_byte_array_append(message, (const guint8 *)answer->records,
		    (guint)answer->length);
	if (answer->manner == OTHER_ID)
		message->data[0] ^= 1;
	if (answer->manner == OTHER_NAME)
		message->data[HEADER + 2] ^= 1;
	return message;
}

static void
answer_udp(struct server *server)
{
	struct endpoint peer = {.length = sizeof(peer.sa)};
	g_autoptr(GByteArray) message = NULL;
	guint8 buffer[512];
	ssize_t length = recvfrom(server->udp, buffer, sizeof(buffer), 0,
	    &peer.sa.any, &peer.length);

	g_assert_cmpint(length, >, HEADER);
	g_byte_array_set_size(server->query, 0);
	g_byte_array_append(server->query, buffer, (guint)length);
	if (server->by_udp->manner == SILENCE)
		return;
	message = make_message(server->by_udp, server->query);
	sendto(server->udp, message->data,
	    server->by_udp->manner == EMPTY ? 0 : message->len, 0, &peer.sa.any,
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

/* One question; leaves the connection open only to be silent. */
static int
answer_tcp(struct server *server)
{
	int fd = accept(server->tcp, NULL, NULL);
	g_autoptr(GByteArray) message = NULL;
	g_autoptr(GByteArray) framed = g_byte_array_new();
	guint8 head[2];

	g_assert_cmpint(fd, >=, 0);
	if (server->by_tcp->manner == SILENCE)
		return fd;
	if (read_all(fd, head, sizeof(head))) {
		g_byte_array_set_size(server->query,
		    (guint)head[0] << 8 | head[1]);
		g_assert_true(
		    read_all(fd, server->query->data, server->query->len));
		message = make_message(server->by_tcp, server->query);
		append_number(framed, (guint16)message->len);
		g_byte_array_append(framed, message->data,
		    server->by_tcp->manner == CUT ? message->len / 2
						  : message->len);
		if (server->by_tcp->manner != EMPTY)
			g_assert_cmpint(write(fd, framed->data, framed->len),
			    ==, framed->len);
	}
	if (server->by_tcp->manner == OTHER_NAME)
		return fd;
	close(fd);
	return -1;
}

static void *
serve(void *data)
{
	struct server *server = data;
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

static void
server_start(struct server *server)
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

static void
server_stop(struct server *server)
{
	close(server->stop[1]);
	g_thread_join(server->thread);
	close(server->stop[0]);
	close(server->udp);
	close(server->tcp);
	g_byte_array_unref(server->query);
	g_free(server->address);
}

static char *
resolve_text(const char *dns_servers, const char *host, gboolean trust_ad,
    gint64 patience)
{
	g_autoptr(Resolver) resolver = resolver_new(dns_servers);
	g_autoptr(GError) error = NULL;
	g_autoptr(TlsaSet) set = tlsa_resolve(resolver, host, PORT, trust_ad,
	    deadline_in(patience), &error);

	if (set == NULL)
		return g_strdup_printf("%s: %s", lookup_code_name(error),
		    error->message);
	g_assert_no_error(error);
	return lookup_tlsa_text(set);
}

static void
check_answer(struct server *server, const char *expected)
{
	g_autofree char *text = NULL;
	gboolean hangs = g_str_equal(expected, LOOKUP_NO_ANSWER);

	server_start(server);
	text = resolve_text(server->address, HOST, FALSE,
	    hangs ? SHORT : PATIENCE);
	server_stop(server);
	lookup_assert(text, expected);
}

static void
test_resolved(gconstpointer data)
{
	const struct resolved *row = data;
	struct server server = {.by_udp = &row->answer, .by_tcp = &row->answer};

	check_answer(&server, row->expected);
}

static void
test_by_tcp(gconstpointer data)
{
	static const struct answer truncated = SAYS(OK | AD | TC, 0, "");
	const struct by_tcp *row = data;
	struct server server = {.by_udp = &truncated, .by_tcp = &row->answer};

	check_answer(&server, row->expected);
}

static const struct answer secure = SECURE(1, KEY);
static const struct answer silence = MANNER(SILENCE);

/* Whose AD bit is believed: "*" is the server of the test, which is asked. */
static const struct believed {
	const char *says;
	const char *servers;
	gboolean trust_ad;
	const char *expected;
} believed[] = {
    {"a server on this machine", "*", FALSE, KEY_TEXT},
    {"the same if all are believed", "*", TRUE, KEY_TEXT},
    {"two on this machine", "*,127.9.9.9", FALSE, KEY_TEXT},
    {"one by IPv4, one by IPv6", "*,[::1]:53", FALSE, KEY_TEXT},
    {"one of two is elsewhere", "*,192.0.2.53", FALSE, INSECURE},
    {"one of three is", "*,127.9.9.9,192.0.2.53", FALSE, INSECURE},
    {"one of two is, by IPv6", "*,[2001:db8::53]:53", FALSE, INSECURE},
    {"that looks like a loopback address", "*,128.0.0.127", FALSE, INSECURE},
    {"one of two is elsewhere, and all are believed", "*,192.0.2.53", TRUE,
	KEY_TEXT},
};

static void
test_believed(gconstpointer data)
{
	const struct believed *row = data;
	struct server server = {.by_udp = &secure, .by_tcp = &secure};
	g_autofree char *servers = NULL;
	g_autofree char *text = NULL;

	server_start(&server);
	servers = g_strconcat(server.address, row->servers + 1, NULL);
	text = resolve_text(servers, HOST, row->trust_ad, PATIENCE);
	server_stop(&server);
	g_assert_cmpstr(text, ==, row->expected);
}

/* The name, the type and AD are asked for. */
static void
test_question(void)
{
	static const guint8 expected[] = "\1\x20\0\1\0\0\0\0\0\0"
					 "\5_2525\4_tcp\2mx\4test\0\0\x34\0\1";
	struct server server = {.by_udp = &secure, .by_tcp = &secure};
	g_autofree char *text = NULL;

	server_start(&server);
	text = resolve_text(server.address, HOST, FALSE, PATIENCE);
	g_assert_cmpstr(text, ==, KEY_TEXT);
	g_assert_cmpmem(server.query->data + 2, server.query->len - 2, expected,
	    sizeof(expected) - 1);
	server_stop(&server);
}

/* Who cannot see the questions cannot know their ids. */
static void
test_ids(void)
{
	struct server server = {.by_udp = &secure, .by_tcp = &secure};
	g_autoptr(GHashTable) ids = g_hash_table_new(NULL, NULL);

	server_start(&server);
	for (int i = 0; i < 4; i++) {
		g_autofree char *text =
		    resolve_text(server.address, HOST, FALSE, PATIENCE);

		g_assert_cmpstr(text, ==, KEY_TEXT);
		g_hash_table_add(ids,
		    GINT_TO_POINTER(
			server.query->data[0] << 8 | server.query->data[1]));
	}
	server_stop(&server);
	g_assert_cmpuint(g_hash_table_size(ids), >, 1);
}

/* Longer than a name may be with port and protocol before it. */
static void
test_long_name(void)
{
	struct server server = {.by_udp = &silence, .by_tcp = &silence};
	g_autofree char *label = g_strnfill(61, 'a');
	g_autofree char *host =
	    g_strjoin(".", label, label, label, label, "test", NULL);
	g_autofree char *text = NULL;

	server_start(&server);
	text = resolve_text(server.address, host, FALSE, PATIENCE);
	g_assert_cmpint(server.query->len, ==, 0);
	server_stop(&server);
	lookup_assert(text, LOOKUP_TEMPORARY "*");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("tlsa/server", resolved, test_resolved);
	TABLE_ADD("tlsa/by TCP", by_tcp, test_by_tcp);
	TABLE_ADD("tlsa/believed", believed, test_believed);
	g_test_add_func("/tlsa/question", test_question);
	g_test_add_func("/tlsa/ids", test_ids);
	g_test_add_func("/tlsa/name too long", test_long_name);
	return g_test_run();
}
