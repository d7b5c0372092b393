/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A route map that is not in use yet.
 */
#ifndef SMTPROUTE_CTL_CHECK_MAP_H
#define SMTPROUTE_CTL_CHECK_MAP_H

#include "ctl/finding.h"

/* As "check --routes" does it, with the settings @conf. */
void
check_map(const char *conf, const char *routes, struct findings *findings);

#endif
