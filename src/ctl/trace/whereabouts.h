/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a message is in Postfix's queue now.
 */
#ifndef SMTPROUTE_CTL_TRACE_WHEREABOUTS_H
#define SMTPROUTE_CTL_TRACE_WHEREABOUTS_H

#include <glib.h>

/*
 * The queue it is in: "deferred", "active" ...; NULL: in none, or only root
 * may know.  *ret_next is when qmgr(8) tries it next, in seconds since 1970, if
 * it is deferred; else 0.
 */
const char *
whereabouts_find(const char *id, gint64 *ret_next);

#endif
