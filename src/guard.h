/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guards what pipe(8) reads: the first bytes on fd 1 and 2 and the exit
 * status decide over the mail, so nothing but the verdict may reach them,
 * and whatever happens to this process has to defer.
 */
#ifndef SMTPROUTE_GUARD_H
#define SMTPROUTE_GUARD_H

#include <glib.h>

/*
 * Takes fd 1 away for the verdict and leaves /dev/null in its place and in
 * that of fd 2: libraries may print what they like.  A closed fd 0 becomes
 * one that cannot be read, for it must not look like an empty message.
 * Returns the descriptor for the verdict, or -1 if there is none.
 */
int
guard_output(void);

/*
 * From now on a fatal signal - a crash, an abort for want of memory - writes
 * a line that defers to @output and exits with EX_TEMPFAIL.
 */
void
guard_crashes(int output);

/*
 * The same after @seconds, for whatever may hang in spite of all deadlines:
 * pipe(8) would kill and bounce at transport_time_limit.  Counts anew at
 * each call.
 */
void
guard_time(unsigned seconds);

/*
 * The verdict is known, and about to be written: from now on a fatal signal
 * exits with @status and writes nothing.  A line that says "2.x.y" together
 * with a status that defers would bounce.
 */
void
guard_status(int status);

/* Writes @line to @output, which may be non-blocking, whole. */
void
guard_write(int output, const char *line);

#endif
