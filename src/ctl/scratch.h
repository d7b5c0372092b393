/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A folder of the tool's own for as long as it runs: drafts, copies.
 */
#ifndef SMTPROUTE_CTL_SCRATCH_H
#define SMTPROUTE_CTL_SCRATCH_H

/* A new string; NULL: complain() has said why. */
char *
scratch_make(void);

/* With what is in it, but no folders. */
void
scratch_remove(const char *folder);

#endif
