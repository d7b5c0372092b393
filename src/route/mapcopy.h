/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole route map in memory, for who wants all of its entries.
 */
#ifndef SMTPROUTE_MAPCOPY_H
#define SMTPROUTE_MAPCOPY_H

#include <glib.h>

#include "route/maptext.h"

/*
 * Of an lmdb map, several million routes; a text has the limit of routemap.h.
 */
#define MAPCOPY_INDEX_MAX (512 * 1024 * 1024)

/* The map @path as it is at one moment.  NULL with ROUTEMAP_ERROR_FILE. */
GBytes *
mapcopy_read(const char *path, GError **error);

/* Begins a walk through the copy of the map @path. */
void
mapcopy_begin(const char *path, GBytes *copy, struct maptext *walk);

#endif
