/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * State files that hold texts by texts, "key=value key=value".
 */
#ifndef SMTPROUTE_STATETEXTS_H
#define SMTPROUTE_STATETEXTS_H

#include "hosts/statefile.h"
#include "unit/statefolder.h"

/* For statefile_run(): of a char **, keys and values in turn. */
void
statetexts_put_work(struct statefile_view *view, void *data);

/* For statefile_run(): sets a GString to all that is there. */
void
statetexts_list_work(struct statefile_view *view, void *data);

/*
 * Runs @work with a new handle, as another process has.  It may not fail, and
 * the file may not be begun anew.
 */
void
statetexts_run(const struct statefolder *place,
    void (*work)(struct statefile_view *view, void *data), void *data);

void
statetexts_put(const struct statefolder *place, const char *texts);

void
statetexts_delete(const struct statefolder *place, const char *key);

/* Does it hold @expected, sorted by keys? */
void
statetexts_assert(const struct statefolder *place, enum statefile_access access,
    const char *expected);

#endif
