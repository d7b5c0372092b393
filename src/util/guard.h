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
 * each call; 0: no more.
 */
void
guard_time(unsigned seconds);

/*
 * The verdict is known: from now on a fatal signal exits with @status.  If
 * that is 0 and the verdict has not been written yet, a line of its own says
 * so: the mail must not come again.  A line that says "2.x.y" together with a
 * status that defers would bounce.
 */
void
guard_status(int status);

/*
 * A crash of this thread from now on first renames @path, since that may be
 * its cause: a file that can be done without, and must not crash the next
 * process too.
 */
void
guard_suspect(const char *path);

/* What it is renamed to: @path and this. */
#define GUARD_CRASHED ".crashed"

/*
 * Runs @work(@data), which reads what may be damaged beyond what can be
 * checked: a file that is mapped and cut off, a database with wild pointers.
 * FALSE: it has crashed or gone in circles for seconds, and whatever it held is
 * left as it was.  Of one thread of the process at a time; a crash of another
 * one is a crash.
 */
gboolean
guard_try(void (*work)(void *data), void *data);

/*
 * Runs @work(@data) in a process of its own that nobody waits for: it holds no
 * descriptor but 0 to 2, which are /dev/null (see maillog_detach()), a signal
 * to the process group does not reach it, and it ends after @seconds at the
 * latest.
 */
void
guard_detach(void (*work)(void *data), void *data, unsigned seconds);

/* Writes @line to @output, which may be non-blocking, whole. */
void
guard_write(int output, const char *line);

#endif
