/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <string.h>
#include <unistd.h>

#include "dns/cares.h"

/* The first release with what is used below. */
#define CARES_WITH_RECORDS 0x011c00

/* Who asks, until the answer is there. */
struct asker {
	cares_answered answered;
	void *data;
};

static struct asker *
asker_new(cares_answered answered, void *data)
{
	struct asker *asker = g_new(struct asker, 1);

	asker->answered = answered;
	asker->data = data;
	return asker;
}

static void
asker_tell(struct asker *asker, int status, const unsigned char *message,
    gsize length)
{
	asker->answered(asker->data, status, message, length);
	g_free(asker);
}

#if ARES_VERSION >= CARES_WITH_RECORDS

/*
 * From quick answers it learns to wait for 250 ms (1.32), which a server that
 * has to ask others cannot keep; at each try it waits for up to twice as long.
 */
#define LEARNED_TRIES 5

/*
 * A socket for each question: it gives one up for a malformed answer, with all
 * that were asked through it.
 */
int
cares_set_options(struct ares_options *options)
{
	options->tries = LEARNED_TRIES;
	options->udp_max_queries = 1;
	/* What was true an hour ago is for the resolver to say (1.23). */
	options->qcache_max_ttl = 0;
	return ARES_OPT_UDP_MAX_QUERIES | ARES_OPT_QUERY_CACHE;
}

static void
on_record(void *data, ares_status_t status, size_t timeouts G_GNUC_UNUSED,
    const ares_dns_record_t *record)
{
	unsigned char *message = NULL;
	size_t length = 0;

	if (status == ARES_SUCCESS)
		status = ares_dns_write(record, &message, &length);
	asker_tell(data, (int)status, message, length);
	ares_free_string(message);
}

/* It makes an id that nobody guesses. */
void
cares_ask(ares_channel channel, const char *name, int type,
    cares_answered answered, void *data)
{
	struct asker *asker = asker_new(answered, data);
	ares_dns_record_t *question = NULL;
	ares_status_t status;

	status = ares_dns_record_create(&question, 0,
	    ARES_FLAG_RD | ARES_FLAG_AD, ARES_OPCODE_QUERY, ARES_RCODE_NOERROR);
	if (status == ARES_SUCCESS)
		status = ares_dns_record_query_add(question, name,
		    (ares_dns_rec_type_t)type, ARES_CLASS_IN);
	if (status == ARES_SUCCESS)
		ares_send_dnsrec(channel, question, on_record, asker, NULL);
	else
		asker_tell(asker, (int)status, NULL, 0);
	ares_dns_record_destroy(question);
}

/* From "192.0.2.1:53" or "[2001:db8::1%eth0]:53". */
static char *
without_port(const char *server)
{
	const char *from = server[0] == '[' ? server + 1 : server;

	return g_strndup(from, strcspn(from, server[0] == '[' ? "]%" : ":"));
}

GStrv
cares_servers(ares_channel channel)
{
	char *csv = ares_get_servers_csv(channel);
	GStrv servers = NULL;

	if (csv == NULL)
		return NULL;
	servers = g_strsplit(csv, ",", -1);
	for (gsize i = 0; servers[i] != NULL; i++) {
		char *server = servers[i];

		servers[i] = without_port(server);
		g_free(server);
	}
	ares_free_string(csv);
	return servers;
}

#else

int
cares_set_options(struct ares_options *options G_GNUC_UNUSED)
{
	return 0;
}

/* In the fourth byte of a header (RFC 4035 section 3.2.3). */
#define FLAGS_LOW 3
#define FLAG_AD   0x20

static void
on_message(void *data, int status, int timeouts G_GNUC_UNUSED,
    unsigned char *message, int length)
{
	if (status == ARES_SUCCESS)
		asker_tell(data, status, message, (gsize)length);
	else
		asker_tell(data, status, NULL, 0);
}

void
cares_ask(ares_channel channel, const char *name, int type,
    cares_answered answered, void *data)
{
	struct asker *asker = asker_new(answered, data);
	unsigned char *question = NULL;
	unsigned short id;
	int length;
	int status = ARES_ENOMEM;

	/* It takes the id as it is, and forgers must not guess it. */
	if (getentropy(&id, sizeof(id)) == 0)
		status = ares_create_query(name, ns_c_in, type, id, 1,
		    &question, &length, 0);
	if (status != ARES_SUCCESS) {
		asker_tell(asker, status, NULL, 0);
		return;
	}
	question[FLAGS_LOW] |= FLAG_AD;
	ares_send(channel, question, length, on_message, asker);
	ares_free_string(question);
}

GStrv
cares_servers(ares_channel channel)
{
	struct ares_addr_port_node *servers = NULL;
	g_autoptr(GPtrArray) texts = NULL;

	if (ares_get_servers_ports(channel, &servers) != ARES_SUCCESS)
		return NULL;
	texts = g_ptr_array_new();
	for (const struct ares_addr_port_node *server = servers; server != NULL;
	     server = server->next) {
		char text[INET6_ADDRSTRLEN] = "";

		inet_ntop(server->family, &server->addr, text, sizeof(text));
		g_ptr_array_add(texts, g_strdup(text));
	}
	ares_free_data(servers);
	g_ptr_array_add(texts, NULL);
	return (GStrv)g_ptr_array_free(g_steal_pointer(&texts), FALSE);
}

#endif
