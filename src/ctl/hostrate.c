/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "ctl/hostrate.h"

gboolean
hostrate_get(const struct rates rates[TALLY_UNITS], const struct tally *tally,
    guint i, struct hostrate *ret)
{
	for (guint unit = 0; unit < TALLY_UNITS; unit++) {
		if (i >= rates[unit].count) {
			i -= rates[unit].count;
			continue;
		}
		ret->unit = (enum tally_unit)unit;
		ret->rate = &rates[unit].rate[i];
		ret->used = tally != NULL
		    ? tally_used(tally, ret->unit, ret->rate->span)
		    : 0;
		return TRUE;
	}
	return FALSE;
}

guint64
hostrate_left(const struct hostrate *rate)
{
	return rate->rate->count > rate->used ? rate->rate->count - rate->used
					      : 0;
}

gint64
hostrate_wait(const struct rates rates[TALLY_UNITS], const struct tally *tally)
{
	const struct tally_rates want = {
	    .rates = {&rates[0], &rates[1]},
	    .recipients = 1,
	};

	return tally != NULL ? tally_wait(tally, &want) : 0;
}

const char *
hostrate_unit(enum tally_unit unit)
{
	return unit == TALLY_RECIPIENTS ? "recipients" : "transactions";
}

char *
hostrate_text(const struct rates rates[TALLY_UNITS], const struct tally *tally)
{
	g_autoptr(GString) text = g_string_new(NULL);
	struct hostrate rate;

	for (guint i = 0; hostrate_get(rates, tally, i, &rate); i++) {
		g_autofree char *span = rate_span_text(rate.rate->span);

		g_string_append_printf(text,
		    "%s%" G_GUINT64_FORMAT " of %u%s in %s", i > 0 ? ", " : "",
		    rate.used, rate.rate->count,
		    rate.unit == TALLY_RECIPIENTS ? " recipients" : "", span);
	}
	return text->len > 0 ? g_string_free(g_steal_pointer(&text), FALSE)
			     : NULL;
}
