/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rates of a host, and what it has had of them.
 */
#ifndef SMTPROUTE_CTL_HOSTRATE_H
#define SMTPROUTE_CTL_HOSTRATE_H

#include <glib.h>

#include "hosts/tally.h"

/* One of its rates. */
struct hostrate {
	enum tally_unit unit;
	const struct rate *rate;
	guint64 used;
};

/*
 * The rate number @i, from 0.  FALSE: it has no more.  @tally: NULL: nothing
 * has been counted.
 */
gboolean
hostrate_get(const struct rates rates[TALLY_UNITS], const struct tally *tally,
    guint i, struct hostrate *ret);

/* Of its count. */
guint64
hostrate_left(const struct hostrate *rate);

/* Until it may have another message, in microseconds; 0: now. */
gint64
hostrate_wait(const struct rates rates[TALLY_UNITS], const struct tally *tally);

/*
 * "12 of 30 in 1m, 300 of 500 recipients in 1d", a new string; NULL: it has
 * no rate.
 */
char *
hostrate_text(const struct rates rates[TALLY_UNITS], const struct tally *tally);

/* "transactions" or "recipients". */
const char *
hostrate_unit(enum tally_unit unit);

#endif
