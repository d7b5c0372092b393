/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots: who is connected to a host, for max-connections over all processes.
 * They are tickets (ticket.h), so that who was killed occupies none.
 */
#ifndef SMTPROUTE_SLOTS_H
#define SMTPROUTE_SLOTS_H

#include <glib.h>

#include "hosts/statefile.h"

/* @max: G_MAXUINT: no limit. */
gboolean
slots_are_full(struct statefile_view *view, const char *name, guint16 port,
    guint max);

/* How many are occupied by the living. */
guint
slots_count(struct statefile_view *view, const char *name, guint16 port);

/* @key: hostrecord_slots_key(). */
void
slots_occupy(struct statefile_view *view, const char *key, guint64 ticket);

void
slots_release(struct statefile_view *view, const char *key, guint64 ticket);

#endif
