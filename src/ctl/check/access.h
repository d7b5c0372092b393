/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the agent's user, who has no supplementary groups, may do with files.
 */
#ifndef SMTPROUTE_CTL_ACCESS_H
#define SMTPROUTE_CTL_ACCESS_H

#include "ctl/check/check.h"

/* What test(1) is asked. */
#define ACCESS_READ  "-r"
#define ACCESS_WRITE "-w"
#define ACCESS_USE   "-x"

/* No answer, as without test(1), is none to complain about. */
gboolean
access_can(const struct agent *agent, const char *what, const char *path);

/*
 * Warns if the agent can neither write the file @path nor, if there is none,
 * make it.  @loss: what happens then.
 */
void
access_check_writable(struct check *check, const struct agent *agent,
    const char *path, const char *loss);

/*
 * Warns if the program, one of Postfix's, is not set-gid to its group for
 * them and so has no access to @what.
 */
void
access_check_set_gid(struct check *check, const char *program, const char *what,
    const char *loss);

#endif
