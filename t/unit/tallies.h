/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rates as text, and tallies as another process has them.
 */
#ifndef SMTPROUTE_TALLIES_H
#define SMTPROUTE_TALLIES_H

#include "hosts/tally.h"

#define SECOND ((gint64)G_USEC_PER_SEC)

/* What does not parse fails the test. */
struct rates
tallies_rates(const char *text);

struct tally_rates
tallies_want(const struct rates *transactions, const struct rates *recipients,
    guint count, gboolean partial);

/* By way of the record; takes @tally over. */
struct tally *
tallies_pass_on(struct tally *tally);

#endif
