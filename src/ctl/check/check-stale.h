/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Has Postfix read what stands in the route map?
 */
#ifndef SMTPROUTE_CTL_CHECK_STALE_H
#define SMTPROUTE_CTL_CHECK_STALE_H

#include "ctl/check/check.h"

/* @map: of transport_maps, "texthash:PATH" as a rule. */
void
check_stale(struct check *check, const char *map);

#endif
