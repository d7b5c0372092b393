/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One service in master.cf that runs smtproute, held against pipe(8), or in
 * LMTP against spawn(8).
 */
#ifndef SMTPROUTE_CTL_CHECK_SERVICE_H
#define SMTPROUTE_CTL_CHECK_SERVICE_H

#include "ctl/finding.h"
#include "ctl/service.h"

/* One service of ours, by master.cf and Postfix's compatibility_level. */
void
check_service(struct findings *findings, const struct service *service,
    const char *level);

/* The same in LMTP. */
void
check_service_lmtp(struct findings *findings, const struct service *service,
    const char *level);

#endif
