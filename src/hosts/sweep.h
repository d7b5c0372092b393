/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forgetting: what nobody has used for a week goes from the state file.
 */
#ifndef SMTPROUTE_SWEEP_H
#define SMTPROUTE_SWEEP_H

#include <glib.h>

#include "hosts/statefile.h"

/*
 * Looks at the records of the same kind (first word of the key) that come
 * after @key, which is new: whoever adds one looks at a few others, so the
 * file does not grow for ever.  The values of these kinds begin with the real
 * time of last use, a gint64 in microseconds.  Drained hosts stay.
 */
void
sweep_after(struct statefile_view *view, const char *key);

#endif
