/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A preview: what hoststate_choose() would do, without doing it.
 */
#ifndef SMTPROUTE_PREVIEW_H
#define SMTPROUTE_PREVIEW_H

#include <glib.h>

#include "hosts/contender.h"

/*
 * The order in which a delivery that begins now would choose, if it had no
 * luck anywhere.  Stores nothing and occupies no host.
 *
 * @directory, @contenders: as for hoststate_choose(); those that would be
 * chosen become STANDING_FREE.  @order: room for @count indices, *ret_length:
 * how many are set.  FALSE with STATEFILE_ERROR: there is a state, but it
 * cannot be read.
 */
gboolean
preview_order(const char *directory, const struct health_limits *limits,
    struct contender *contenders, guint count, guint *order, guint *ret_length,
    GError **error);

#endif
