/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * May this configuration be believed?
 */
#ifndef SMTPROUTE_SAFETY_H
#define SMTPROUTE_SAFETY_H

#include "conf/settings.h"

/*
 * Who can change settings or map can lead credentials to a host of their own,
 * and mail anywhere.  If others than root and us can, and the settings have
 * credentials, returns why mail has to wait, a new string.  Without
 * credentials it warns in the log.  NULL: mail may go.
 */
char *
safety_fault(const struct settings *settings);

#endif
