/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files and folders: who can read and write them.
 */
#ifndef SMTPROUTE_CTL_CHECK_FILES_H
#define SMTPROUTE_CTL_CHECK_FILES_H

#include "ctl/check/check.h"

/* Files and folders: who can read and write them.  Finds the agent. */
void
check_files(struct check *check);

#endif
