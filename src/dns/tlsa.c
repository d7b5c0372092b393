/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "dns/answer.h"
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

static gboolean
on_record(const ns_msg *message G_GNUC_UNUSED, const ns_rr *record, void *data)
{
	add_record(data, ns_rr_rdata(*record), ns_rr_rdlen(*record));
	return TRUE;
}

gboolean
tlsa_parse(struct tlsa_set *set, const unsigned char *answer, gsize length)
{
	return answer_records(answer, length, ns_t_tlsa, on_record, set);
}

static void
forget(struct tlsa_set *set)
{
	if (!set->any)
		return;
	g_ptr_array_set_size(set->records, 0);
	set->absence = "TLSA records without DNSSEC";
}

/* The answer to the question for them. */
static int
take_answer(const unsigned char *message, gsize length, void *data)
{
	struct tlsa_set *set = data;

	if (!tlsa_parse(set, message, length))
		return ARES_EBADRESP;
	set->secure = answer_is_secure(message, length);
	return ARES_SUCCESS;
}

struct tlsa_set *
tlsa_resolve(struct resolver *resolver, const char *host, guint16 port,
    gboolean trust_ad, gint64 deadline, GError **error)
{
	g_autoptr(TlsaSet) set = tlsa_set_new();
	g_autofree char *name = g_strdup_printf("_%u._tcp.%s", port, host);
	g_autoptr(GError) reason = NULL;

	if (!resolver_ask(resolver, name, ns_t_tlsa, deadline, take_answer, set,
		"no TLSA", &reason) &&
	    !g_error_matches(reason, RESOLVE_ERROR, RESOLVE_ERROR_NOT_FOUND)) {
		g_propagate_error(error, g_steal_pointer(&reason));
		return NULL;
	}
	if (!set->secure || !(trust_ad || resolver_is_local(resolver)))
		forget(set);
	return g_steal_pointer(&set);
}
