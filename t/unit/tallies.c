/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include "unit/tallies.h"

struct rates
tallies_rates(const char *text)
{
	struct rates rates;
	gsize at;

	g_assert_true(rates_parse(text, ',', &rates, &at));
	return rates;
}

struct tally_rates
tallies_want(const struct rates *transactions, const struct rates *recipients,
    guint count, gboolean partial)
{
	return (struct tally_rates){
	    .rates = {transactions, recipients},
	    .recipients = count,
	    .partial = partial,
	};
}

struct tally *
tallies_pass_on(struct tally *tally)
{
	g_autoptr(Tally) old = tally;
	g_autoptr(GByteArray) record = tally_write(old);
	g_autofree guint8 *copy = g_memdup2(record->data, record->len);

	return tally_read(copy, record->len);
}
