/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS and AUTH as the hosts of routes have them: what contradicts itself, and
 * what promises more than it keeps.
 */
#ifndef SMTPROUTE_CTL_CHECK_SECURITY_H
#define SMTPROUTE_CTL_CHECK_SECURITY_H

#include "ctl/check/check.h"
#include "route/maptext.h"
#include "route/route.h"

/* TLS and AUTH as the hosts of a route have them. */
void
check_route_security(struct check *check, const char *path,
    const struct maptext_entry *entry, const struct route *route);

/* What that takes besides routes: DNS. */
void
check_dns_security(struct check *check);

#endif
