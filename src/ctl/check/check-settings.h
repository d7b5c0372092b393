/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Settings that are no faults, but help nobody.
 */
#ifndef SMTPROUTE_CTL_CHECK_SETTINGS_H
#define SMTPROUTE_CTL_CHECK_SETTINGS_H

#include "ctl/check/check.h"

/* When all routes are known. */
void
check_settings(struct check *check);

#endif
