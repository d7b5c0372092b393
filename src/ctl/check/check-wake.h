/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does Postfix let the agent's user wake mail, by postqueue(1) with -i?
 */
#ifndef SMTPROUTE_CTL_CHECK_WAKE_H
#define SMTPROUTE_CTL_CHECK_WAKE_H

#include "ctl/check/check.h"

void
check_wake(struct check *check);

#endif
