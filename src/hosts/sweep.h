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
 * time of last use, a gint64 in microseconds.  Drained hosts stay; those that
 * only DNS has named go after an hour, and tallies when nothing in them counts.
 */
void
sweep_after(struct statefile_view *view, const char *key);

/*
 * Of the records with such a key, @is_one of which says TRUE, the oldest go,
 * until @keep are left, if there are more than @max.  NULL: all are.  Returns
 * how many are left.
 */
guint
sweep_oldest(struct statefile_view *view, const char *prefix,
    gboolean (*is_one)(const void *value, gsize size), guint max, guint keep);

/*
 * A tally (tally.h) was added.  Where routes lead to the hosts of strangers,
 * these are chosen by senders, so at most 20,000 are kept.
 */
void
sweep_tallies(struct statefile_view *view);

/*
 * A host that DNS has named, not the map, was added.  At most 5,000 of them are
 * kept, for an hour; senders choose them.
 */
void
sweep_strangers(struct statefile_view *view);

/*
 * The turns of a group, a record with this prefix, were added.  20,000 are
 * kept: who has failed at some hosts of a large group has turns of its own
 * with the others, and there are more such sets than any file holds.
 */
void
sweep_turns(struct statefile_view *view, const char *prefix);

#endif
