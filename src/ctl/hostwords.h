/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is to be said of a host, in few words.
 */
#ifndef SMTPROUTE_CTL_HOSTWORDS_H
#define SMTPROUTE_CTL_HOSTWORDS_H

#include <glib.h>

#include "ctl/hostlist.h"
#include "ctl/paint.h"

/* "up", "down" or "drained". */
const char *
hostwords_standing(enum hostrow_standing standing);

/* All strings from here on are new. */

/*
 * "up, 2 busy"; nothing is longer than "down, trying now".  *ret_paint is set
 * if it is to be painted.
 */
char *
hostwords_state(const struct hostrow *row, enum paint *ret_paint);

/*
 * Since when it is up or down, real time; 0: it was never down, or nobody
 * knows.
 */
gint64
hostwords_since(const struct hostrow *row, gint64 now);

/* "85ms", "1.2s", the average of late; "-": there is none. */
char *
hostwords_latency(const struct latency *latency);

#endif
