/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rates that contradict each other.
 */
#ifndef SMTPROUTE_CTL_CHECK_RATES_H
#define SMTPROUTE_CTL_CHECK_RATES_H

#include "ctl/check/check.h"
#include "route/maptext.h"
#include "route/route.h"

/* Those of an entry's hosts; @path and @entry: as for check_entry(). */
void
check_rates(struct check *check, const char *path,
    const struct maptext_entry *entry, const struct route *route);

#endif
