/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rescue: what people have ordered is read from a state file that is given up,
 * as far as that can be done.
 */
#ifndef SMTPROUTE_RESCUE_H
#define SMTPROUTE_RESCUE_H

#include <glib.h>

#include "hosts/statefile.h"

struct rescued {
	char *key;
	GBytes *value;
};

/*
 * The records of drained hosts, of struct rescued, as many as can be read;
 * nobody else may change the file meanwhile.  @layout: the value of @layout_key
 * that they must have.
 */
GPtrArray *
rescue_orders(const char *path, const char *layout_key, const char *layout);

/* Puts them into another one. */
void
rescue_restore(struct statefile_view *view, const GPtrArray *orders);

#endif
