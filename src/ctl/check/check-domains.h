/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routes and the domains that Postfix knows.
 */
#ifndef SMTPROUTE_CTL_CHECK_DOMAINS_H
#define SMTPROUTE_CTL_CHECK_DOMAINS_H

#include "ctl/check/check.h"
#include "ctl/service.h"

/*
 * Does the service of this service_transport(), by transport_maps, which are
 * @maps, take mail that is not for it?  Does Postfix accept what it has routes
 * for?
 */
void
check_domains(struct check *check, const char *maps, const char *transport);

#endif
