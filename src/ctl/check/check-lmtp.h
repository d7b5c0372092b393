/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smtproute in LMTP, between lmtp(8) and spawn(8).
 */
#ifndef SMTPROUTE_CTL_CHECK_LMTP_H
#define SMTPROUTE_CTL_CHECK_LMTP_H

#include "ctl/check/check.h"
#include "ctl/service.h"

/* A service that speaks LMTP, and what main.cf says of its client. */
void
check_lmtp(struct check *check, const struct service *service,
    const char *level);

#endif
