/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLSA records from a DNS server that misbehaves.  What is wrong with the
 * message itself is in tlsa-test.c.
 */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "dns/tlsa.h"
#include "unit/dnsserver.h"
#include "unit/lookup.h"
#include "unit/table.h"
#include "util/deadline.h"

#define HOST "mx.test"
#define PORT 2525

#define NONE     "no TLSA records"
#define UNUSABLE "no usable TLSA records"
#define INSECURE "TLSA records without DNSSEC"

/* For c-ares 1.34 an answer with a record that has no data is malformed. */
#if ARES_VERSION >= 0x011c00
#define NO_DATA LOOKUP_TEMPORARY "*"
#else
#define NO_DATA UNUSABLE
#endif

#define TLSA(length, rdata) DNS_RR("\x34", length, rdata)

#define DIGEST   "0123456789abcdef0123456789abcdef"
#define KEY      TLSA("\0\x23", "\3\1\1" DIGEST)
#define CA_KEY   TLSA("\0\x23", "\2\1\1" DIGEST)
#define KEY_TEXT "3 1 1 [32]"

#define SECURE(count, text) DNS_SAYS(DNS_OK | DNS_AD, count, text)
#define MANNER(manner)                                                         \
	{                                                                      \
		manner, DNS_OK | DNS_AD, 1, KEY, sizeof(KEY) - 1               \
	}

/* What a server says, and what the agent makes of it. */
static const struct resolved {
	const char *says;
	struct dns_answer answer;
	const char *expected;
} resolved[] = {
    {"a record", SECURE(1, KEY), KEY_TEXT},
    {"two records", SECURE(2, KEY CA_KEY), KEY_TEXT ", 2 1 1 [32]"},
    {"a record without AD", DNS_SAYS(DNS_OK, 1, KEY), INSECURE},
    {"AD without records", SECURE(0, ""), NONE},
    {"no records", DNS_RCODE(0), NONE},
    {"no such name", DNS_RCODE(3), NONE},
    {"no such name, with AD", DNS_RCODE(DNS_AD | 3), NONE},
    {"a format error", DNS_RCODE(1), LOOKUP_TEMPORARY "*"},
    {"a format error with AD", DNS_RCODE(DNS_AD | 1), LOOKUP_TEMPORARY "*"},
    {"failure", DNS_RCODE(2), LOOKUP_NO_SERVER},
    {"failure with AD", DNS_RCODE(DNS_AD | 2), LOOKUP_NO_SERVER},
    {"failure with a record", DNS_SAYS(DNS_OK | DNS_AD | 2, 1, KEY),
	LOOKUP_NO_SERVER},
    {"not implemented", DNS_RCODE(4), LOOKUP_TEMPORARY "*"},
    {"refusal", DNS_RCODE(5), LOOKUP_NO_SERVER},
    {"not authoritative", DNS_RCODE(9), LOOKUP_TEMPORARY "*"},
    {"an unknown code", DNS_RCODE(15), LOOKUP_TEMPORARY "*"},
    {"the question, without an answer", DNS_SAYS(DNS_RD | DNS_AD, 0, ""),
	"temporary: *"},
    {"silence", MANNER(DNS_SILENCE), LOOKUP_NO_ANSWER},
    {"an empty datagram", MANNER(DNS_EMPTY), LOOKUP_NO_ANSWER},
    {"an answer with another id", MANNER(DNS_OTHER_ID), LOOKUP_NO_ANSWER},
    {"an answer to another question", MANNER(DNS_OTHER_NAME), LOOKUP_NO_ANSWER},
    {"an answer without the question", MANNER(DNS_NO_QUESTION),
	LOOKUP_NO_SENSE},

    {"no usable record", SECURE(1, TLSA("\0\4", "\1\1\1x")), UNUSABLE},
    {"no usable record without AD",
	DNS_SAYS(DNS_OK, 1, TLSA("\0\4", "\1\1\1x")), INSECURE},
    {"a record without data", SECURE(1, TLSA("\0\3", "\3\1\1")), NO_DATA},
    {"fewer records than announced", SECURE(2, KEY), LOOKUP_TEMPORARY "*"},
};

/* The same when UDP has said that it is too much (TC). */
static const struct by_tcp {
	const char *says;
	struct dns_answer answer;
	const char *expected;
} by_tcp[] = {
    {"a record", SECURE(1, KEY), KEY_TEXT},
    {"a record without AD", DNS_SAYS(DNS_OK, 1, KEY), INSECURE},
    {"no records", DNS_RCODE(DNS_AD), NONE},
    {"failure", DNS_RCODE(2), LOOKUP_TEMPORARY "*"},
    {"too much for TCP too", DNS_SAYS(DNS_OK | DNS_AD | DNS_TC, 1, KEY),
	"temporary: *"},
    {"silence", MANNER(DNS_SILENCE), LOOKUP_NO_ANSWER},
    {"no answer, and the end", MANNER(DNS_EMPTY), LOOKUP_TEMPORARY "*"},
    {"half an answer, and the end", MANNER(DNS_CUT), LOOKUP_TEMPORARY "*"},
    {"an answer to another question", MANNER(DNS_OTHER_NAME), LOOKUP_NO_ANSWER},
};

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
check_answer(struct dns_server *server, const char *expected)
{
	g_autofree char *text = NULL;

	dns_server_start(server);
	text = resolve_text(server->address, HOST, FALSE,
	    lookup_patience(expected));
	dns_server_stop(server);
	lookup_assert(text, expected);
}

static void
test_resolved(gconstpointer data)
{
	const struct resolved *row = data;
	struct dns_server server = {.other = &row->answer};

	check_answer(&server, row->expected);
}

static void
test_by_tcp(gconstpointer data)
{
	static const struct dns_answer truncated =
	    DNS_SAYS(DNS_OK | DNS_AD | DNS_TC, 0, "");
	const struct by_tcp *row = data;
	struct dns_server server = {.other = &truncated,
	    .by_tcp = &row->answer};

	check_answer(&server, row->expected);
}

static const struct dns_answer secure = SECURE(1, KEY);
static const struct dns_answer silence = MANNER(DNS_SILENCE);

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
	struct dns_server server = {.other = &secure};
	g_autofree char *servers = NULL;
	g_autofree char *text = NULL;

	dns_server_start(&server);
	servers = g_strconcat(server.address, row->servers + 1, NULL);
	text = resolve_text(servers, HOST, row->trust_ad, DNS_PATIENCE);
	dns_server_stop(&server);
	g_assert_cmpstr(text, ==, row->expected);
}

/* The name, the type and AD are asked for. */
static void
test_question(void)
{
	static const guint8 expected[] = "\1\x20\0\1\0\0\0\0\0\0"
					 "\5_2525\4_tcp\2mx\4test\0\0\x34\0\1";
	struct dns_server server = {.other = &secure};
	g_autofree char *text = NULL;

	dns_server_start(&server);
	text = resolve_text(server.address, HOST, FALSE, DNS_PATIENCE);
	g_assert_cmpstr(text, ==, KEY_TEXT);
	g_assert_cmpmem(server.query->data + 2, server.query->len - 2, expected,
	    sizeof(expected) - 1);
	dns_server_stop(&server);
}

/* Who cannot see the questions cannot know their ids. */
static void
test_ids(void)
{
	struct dns_server server = {.other = &secure};
	g_autoptr(GHashTable) ids = g_hash_table_new(NULL, NULL);

	dns_server_start(&server);
	for (int i = 0; i < 4; i++) {
		g_autofree char *text =
		    resolve_text(server.address, HOST, FALSE, DNS_PATIENCE);

		g_assert_cmpstr(text, ==, KEY_TEXT);
		g_hash_table_add(ids,
		    GINT_TO_POINTER(
			server.query->data[0] << 8 | server.query->data[1]));
	}
	dns_server_stop(&server);
	g_assert_cmpuint(g_hash_table_size(ids), >, 1);
}

/* Longer than a name may be with port and protocol before it. */
static void
test_long_name(void)
{
	struct dns_server server = {.other = &silence};
	g_autofree char *label = g_strnfill(61, 'a');
	g_autofree char *host =
	    g_strjoin(".", label, label, label, label, "test", NULL);
	g_autofree char *text = NULL;

	dns_server_start(&server);
	text = resolve_text(server.address, host, FALSE, DNS_PATIENCE);
	g_assert_cmpint(server.query->len, ==, 0);
	dns_server_stop(&server);
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
