/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Delivery connection ids: one running number per machine, as the ESA logs
 * them.
 */
#ifndef SMTPROUTE_DCID_H
#define SMTPROUTE_DCID_H

#include <glib.h>

/*
 * The next number, from 1, kept in the file "dcid" of @state_directory.
 * Without the file (read-only, full disk, ...) it is 0, and *error says why:
 * nothing but the log suffers.
 */
guint64
dcid_next(const char *state_directory, GError **error);

#endif
