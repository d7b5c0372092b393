/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Postfix's own tables have for a domain: they cannot be listed, only
 * asked.
 */
#ifndef SMTPROUTE_CTL_CHECK_DOMAIN_H
#define SMTPROUTE_CTL_CHECK_DOMAIN_H

#include "ctl/check/check.h"

/* @text: a domain from the command line. */
void
check_domain(struct check *check, const char *text);

#endif
