/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <arpa/nameser.h>
#include <string.h>
#include <unistd.h>

#include "dns/tlsa.h"

/* Usage, selector and matching type come before the data. */
#define RDATA_HEAD 3

static void
record_free(gpointer data)
{
	struct tlsa *record = data;

	g_bytes_unref(record->data);
	g_free(record);
}

struct tlsa_set *
tlsa_set_new(void)
{
	struct tlsa_set *set = g_new0(struct tlsa_set, 1);

	set->records = g_ptr_array_new_with_free_func(record_free);
	set->absence = "no TLSA records";
	return set;
}

void
tlsa_set_free(struct tlsa_set *set)
{
	if (set == NULL)
		return;
	g_ptr_array_unref(set->records);
	g_free(set);
}

static void
add_record(struct tlsa_set *set, const unsigned char *rdata, gsize length)
{
	struct tlsa *record;

	set->any = TRUE;
	set->absence = "no usable TLSA records";
	if (length <= RDATA_HEAD || length > RDATA_HEAD + TLSA_DATA_MAX ||
	    set->records->len == TLSA_MAX ||
	    (rdata[0] != TLSA_DANE_TA && rdata[0] != TLSA_DANE_EE))
		return;
	record = g_new0(struct tlsa, 1);
	record->usage = rdata[0];
	record->selector = rdata[1];
	record->matching = rdata[2];
	record->data = g_bytes_new(rdata + RDATA_HEAD, length - RDATA_HEAD);
	g_ptr_array_add(set->records, record);
}

/*
 * Records of any owner count: the resolver answers for aliases too, and it is
 * believed or not as a whole.
 */
gboolean
tlsa_parse(struct tlsa_set *set, const unsigned char *answer, gsize length)
{
	ns_msg message;
	int rcode;
	int count;

	if (length > G_MAXINT ||
	    ns_initparse(answer, (int)length, &message) < 0)
		return FALSE;
	/* Our own question, or half an answer. */
	if (!ns_msg_getflag(message, ns_f_qr) ||
	    ns_msg_getflag(message, ns_f_tc))
		return FALSE;
	rcode = ns_msg_getflag(message, ns_f_rcode);
	if (rcode != ns_r_noerror && rcode != ns_r_nxdomain)
		return FALSE;
	count = ns_msg_count(message, ns_s_an);
	for (int i = 0; i < count; i++) {
		ns_rr record;

		if (ns_parserr(&message, ns_s_an, i, &record) < 0)
			return FALSE;
		if (ns_rr_type(record) == ns_t_tlsa &&
		    ns_rr_class(record) == ns_c_in)
			add_record(set, ns_rr_rdata(record),
			    ns_rr_rdlen(record));
	}
	return TRUE;
}

static void
forget(struct tlsa_set *set)
{
	if (!set->any)
		return;
	g_ptr_array_set_size(set->records, 0);
	set->absence = "TLSA records without DNSSEC";
}

/* A question to c-ares, and its answer. */
struct lookup {
	struct tlsa_set *set;
	gint64 begun;
	gboolean done;
	gboolean secure;
	int status;
};

/* AD in the fourth byte of an answer's head (RFC 4035 section 3.2.3). */
#define FLAGS_LOW 3
#define FLAG_AD   0x20

static void
on_answer(void *data, int status, int timeouts G_GNUC_UNUSED,
    unsigned char *answer, int length)
{
	struct lookup *lookup = data;

	if (status == ARES_SUCCESS) {
		if (!tlsa_parse(lookup->set, answer, (gsize)length))
			status = ARES_EBADRESP;
		else
			lookup->secure = (answer[FLAGS_LOW] & FLAG_AD) != 0;
	}
	lookup->status = status;
	lookup->done = TRUE;
}

/* AD in the question asks for it in the answer (RFC 6840 section 5.7). */
static void
ask(struct resolver *resolver, ares_channel channel, const char *name,
    gint64 deadline, struct lookup *lookup)
{
	unsigned char *question;
	unsigned short id;
	int length;

	/* c-ares takes it as it is, and forgers must not guess it. */
	if (getentropy(&id, sizeof(id)) < 0) {
		lookup->status = ARES_ENOMEM;
		return;
	}
	lookup->status = ares_create_query(name, ns_c_in, ns_t_tlsa, id, 1,
	    &question, &length, 0);
	if (lookup->status != ARES_SUCCESS)
		return;
	question[FLAGS_LOW] |= FLAG_AD;
	ares_send(channel, question, length, on_answer, lookup);
	resolver_wait(resolver, &lookup->done, deadline);
	ares_free_string(question);
}

struct tlsa_set *
tlsa_resolve(struct resolver *resolver, const char *host, guint16 port,
    gboolean trust_ad, gint64 deadline, GError **error)
{
	g_autoptr(TlsaSet) set = tlsa_set_new();
	g_autofree char *name = g_strdup_printf("_%u._tcp.%s", port, host);
	struct lookup lookup = {
	    .set = set,
	    .begun = g_get_monotonic_time(),
	};
	ares_channel channel = resolver_open(resolver, error);

	if (channel == NULL)
		return NULL;
	ask(resolver, channel, name, deadline, &lookup);
	if (lookup.status != ARES_SUCCESS &&
	    !resolver_is_not_found(lookup.status)) {
		resolver_set_error(lookup.status, lookup.begun, "no TLSA",
		    error);
		return NULL;
	}
	if (!lookup.secure || !(trust_ad || resolver_is_local(resolver)))
		forget(set);
	return g_steal_pointer(&set);
}
