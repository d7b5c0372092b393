/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers of DNS: mail exchangers are names that a host can have, in order;
 * TLSA records are of the usages, and as many and as large, as tlsa.h says.
 */
#include <config.h>

#include "address/domain.h"
#include "dns/tlsa.h"
#include "fuzz/fuzz.h"
/* For what it does with an answer, which nobody else has to see. */
#include "dns/resolve.c" /* NOLINT */

static void
check_exchangers(const guint8 *data, gsize size)
{
	g_autoptr(GPtrArray) exchangers =
	    g_ptr_array_new_with_free_func(mx_free);
	guint16 before = 0;

	if (take_exchangers(data, size, exchangers) != ARES_SUCCESS)
		return;
	g_assert_cmpuint(exchangers->len, >, 0);
	if (is_null_mx(exchangers))
		return;
	keep_usable(exchangers);
	order_exchangers(exchangers);
	g_assert_cmpuint(exchangers->len, <=, RESOLVE_MX_MAX);
	for (guint i = 0; i < exchangers->len; i++) {
		const struct mx *mx = exchangers->pdata[i];
		g_autofree char *again = domain_canonical(mx->host, NULL);

		g_assert_cmpstr(again, ==, mx->host);
		g_assert_cmpuint(mx->preference, >=, before);
		before = mx->preference;
	}
}

static void
check_record(const struct tlsa *record)
{
	g_assert_true(
	    record->usage == TLSA_DANE_TA || record->usage == TLSA_DANE_EE);
	g_assert_cmpuint(g_bytes_get_size(record->data), >, 0);
	g_assert_cmpuint(g_bytes_get_size(record->data), <=, TLSA_DATA_MAX);
}

static void
check_tlsa(const guint8 *data, gsize size)
{
	g_autoptr(TlsaSet) set = tlsa_set_new();

	tlsa_parse(set, data, size);
	g_assert_true(set->any || set->records->len == 0);
	g_assert_cmpuint(set->records->len, <=, TLSA_MAX);
	fuzz_assert_line(set->absence);
	for (guint i = 0; i < set->records->len; i++)
		check_record(set->records->pdata[i]);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autofree guint8 *answer = g_memdup2(data, size);

	answer_status(answer, size);
	answer_is_secure(answer, size);
	check_exchangers(answer, size);
	check_tlsa(answer, size);
	return 0;
}
