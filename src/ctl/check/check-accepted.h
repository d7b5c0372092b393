/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains with routes that Postfix does not accept mail for.
 */
#ifndef SMTPROUTE_CTL_CHECK_ACCEPTED_H
#define SMTPROUTE_CTL_CHECK_ACCEPTED_H

#include "ctl/check/check.h"

/* Says which of the map's first domains smtpd(8) refuses from outside. */
void
check_accepted(struct check *check);

#endif
