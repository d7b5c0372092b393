/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the settings say to hosts/, which knows no settings.
 */
#ifndef SMTPROUTE_LIMITS_H
#define SMTPROUTE_LIMITS_H

#include "conf/settings.h"
#include "hosts/health.h"

/* retry-min and retry-max. */
struct health_limits
limits_health(const struct settings *settings);

#endif
