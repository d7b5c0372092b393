/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the settings have for TLS and AUTH, line by line, and the files that
 * they name.
 */
#ifndef SMTPROUTE_CTL_CHECK_SECRETS_H
#define SMTPROUTE_CTL_CHECK_SECRETS_H

#include "ctl/check/check.h"

/* What of TLS and AUTH is in the settings, and the files that it takes. */
void
check_secrets(struct check *check);

#endif
