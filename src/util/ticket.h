/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ticket: a number that stands for a process as long as it lives.  It is
 * the place of a byte that the process has locked in a file all share, so
 * the kernel takes it back however the process ends, in whatever container.
 */
#ifndef SMTPROUTE_TICKET_H
#define SMTPROUTE_TICKET_H

#include <glib.h>

/*
 * Takes a ticket of the file that @fd is open for (read and write), until the
 * last descriptor made from @fd is closed.  0: there is none to be had.
 */
guint64
ticket_take(int fd);

/*
 * Does the process live?  @fd: of another open(2) of the same file.  In
 * doubt, no.
 */
gboolean
ticket_is_alive(int fd, guint64 ticket);

/*
 * Marks a ticket of this process, or takes the mark away.  @fd: as for
 * ticket_take().
 */
void
ticket_mark(int fd, guint64 ticket, gboolean marked);

/* Does its process live, and has it marked the ticket?  @fd: as above. */
gboolean
ticket_is_marked(int fd, guint64 ticket);

#endif
