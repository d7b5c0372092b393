/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong with the file of the shared state (statefile.h): a code, which
 * is an errno, one of LMDB's, or one of these; 0: nothing.
 */
#ifndef SMTPROUTE_STATEFAULT_H
#define SMTPROUTE_STATEFAULT_H

#include <glib.h>

/* Beside errno's numbers and LMDB's, which are negative. */
#define STATEFAULT_CRASHED      (-1)
#define STATEFAULT_OTHER_LAYOUT (-2)
#define STATEFAULT_UNSAFE       (-3)

/* For messages. */
const char *
statefault_text(int code);

/*
 * Is it the file that is at fault, rather than the system?  @size: of the
 * map, which this process may be too limited for.
 */
gboolean
statefault_is_damage(int code, gsize size);

#endif
