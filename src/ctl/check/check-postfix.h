/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What master.cf and main.cf lack or contradict.
 */
#ifndef SMTPROUTE_CTL_CHECK_POSTFIX_H
#define SMTPROUTE_CTL_CHECK_POSTFIX_H

#include "ctl/check/check.h"

/* main.cf and master.cf. */
void
check_postfix(struct check *check);

#endif
