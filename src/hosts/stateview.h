/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A transaction of the state's file: what statefile.h says of it is in
 * stateview.c, but how it comes about, and its lock, in statefile.c.
 */
#ifndef SMTPROUTE_STATEVIEW_H
#define SMTPROUTE_STATEVIEW_H

#include <lmdb.h>

#include "hosts/statefile.h"

struct statefile_view {
	struct statefile *file;
	void (*work)(struct statefile_view *view, void *data);
	void *data;
	MDB_txn *txn;
	MDB_dbi dbi;
	int code; /* the first error */
};

/* Keeps the first error of LMDB's, after which nothing is done; is it none? */
gboolean
stateview_note(struct statefile_view *view, int code);

#endif
