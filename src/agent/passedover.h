/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a verdict says of the hosts that were passed over without being
 * contacted: down, being probed, busy, drained.
 */
#ifndef SMTPROUTE_PASSEDOVER_H
#define SMTPROUTE_PASSEDOVER_H

#include <glib.h>

#include "agent/verdict.h"

/*
 * "; host:port: down, next try in N s; ..." for those of @contenders (of
 * struct contender) that were, to be put behind those that were tried.  A new
 * string.
 */
char *
passedover_text(const GArray *contenders);

/* The verdict if no host at all was tried: the mail defers. */
void
passedover_verdict(const GArray *contenders, struct verdict *verdict);

#endif
