/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: does anything take the agent's lines?
 */
#ifndef SMTPROUTE_CTL_CHECK_LOG_H
#define SMTPROUTE_CTL_CHECK_LOG_H

#include "ctl/check/check.h"

/* @agent: NULL: nobody can be asked for. */
void
check_log(struct check *check, const struct agent *agent);

#endif
