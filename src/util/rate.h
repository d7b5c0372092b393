/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rates: how many of something there may be in any span of time, as
 * "30:1m, 10000:1d".
 */
#ifndef SMTPROUTE_RATE_H
#define SMTPROUTE_RATE_H

#include <glib.h>

/* A second, a minute, an hour and a day: who has more means something else. */
#define RATES_MAX 4

/* More than any host takes; a sum of many of them is far from 64 bits. */
#define RATE_COUNT_MAX 1000000000

#define RATE_SPAN_MAX (31 * 86400 * (gint64)G_USEC_PER_SEC)

struct rate {
	guint32 count;
	gint64 span; /* microseconds, from 1 s to RATE_SPAN_MAX */
};

/* All zero: not set. */
struct rates {
	gboolean set; /* with no rate: there is no limit, whatever is set for
		       * more than this */
	guint count;
	struct rate rate[RATES_MAX]; /* each span once */
};

/* What rates_parse() accepts, with commas. */
#define RATES_ACCEPTED                                                         \
	"none, or rates as 30:1m, 10000:1d, of spans from 1s to 31d"

/*
 * @separator stands between rates, and blanks may.  FALSE: *ret_at is the
 * offset of the part that is at fault, *ret is untouched.
 */
gboolean
rates_parse(const char *text, char separator, struct rates *ret, gsize *ret_at);

/* "30:1m, 10000:1d" or "none", a new string. */
char *
rates_text(const struct rates *rates, const char *separator);

/* "1m", "36h", a new string: whole numbers of the greatest unit. */
char *
rate_span_text(gint64 span);

#endif
