/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots: lists of tickets (ticket.h) in the state file, for who is connected
 * to a host, or waits for it, over all processes.  Who was killed is in none.
 *
 * A slot can be held: its process keeps the connection, though nothing goes
 * over it just now; or something does, and nobody wants to know
 * (holdings_resume()).
 */
#ifndef SMTPROUTE_SLOTS_H
#define SMTPROUTE_SLOTS_H

#include <glib.h>

#include "hosts/statefile.h"

/* Of those who are connected to the host, a new string. */
char *
slots_connected_key(const char *name, guint16 port);

/* Of those who wait until they can be, a new string. */
char *
slots_waiting_key(const char *name, guint16 port);

/* Of those of them who have waited for long and go first, a new string. */
char *
slots_first_key(const char *name, guint16 port);

/*
 * @key: one of these, in all that follows.
 *
 * Has the list @max living tickets, or more?  G_MAXUINT: no.
 */
gboolean
slots_are_full(struct statefile_view *view, const char *key, guint max);

/* How many are occupied by the living. */
guint
slots_count(struct statefile_view *view, const char *key);

/* How many of these are not held. */
guint
slots_count_busy(struct statefile_view *view, const char *key);

/*
 * How many of these are held or have marked their ticket, but for the one that
 * @except uses.
 */
guint
slots_count_marked(struct statefile_view *view, const char *key,
    guint64 except);

/* How many of the living came before @ticket; all, if it is not there. */
guint
slots_count_before(struct statefile_view *view, const char *key,
    guint64 ticket);

void
slots_occupy(struct statefile_view *view, const char *key, guint64 ticket);

/* Of a ticket's slots one that is held goes only if all are. */
void
slots_release(struct statefile_view *view, const char *key, guint64 ticket);

/* Has @ticket a slot, held or not? */
gboolean
slots_has(struct statefile_view *view, const char *key, guint64 ticket);

/* The slot that @ticket occupies is held from now on. */
void
slots_hold(struct statefile_view *view, const char *key, guint64 ticket);

/* And no longer.  FALSE: it holds none. */
gboolean
slots_resume(struct statefile_view *view, const char *key, guint64 ticket);

#endif
