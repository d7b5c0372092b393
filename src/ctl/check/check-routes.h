/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The route map: its text, its keys, and all that its routes say.
 */
#ifndef SMTPROUTE_CTL_CHECK_ROUTES_H
#define SMTPROUTE_CTL_CHECK_ROUTES_H

#include "ctl/check/check.h"

/* The route map, with the hosts in it. */
void
check_routes(struct check *check);

#endif
