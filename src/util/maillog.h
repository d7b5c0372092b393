/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines for the maillog: syslog, Postfix's own log, or a file with lines of
 * the same form.
 */
#ifndef SMTPROUTE_MAILLOG_H
#define SMTPROUTE_MAILLOG_H

#include <glib.h>

/* Of a line, without its stamp; syslog servers keep 1 to 8 KiB. */
#define MAILLOG_LINE_MAX 1000

/* For maillog_open(): the log that Postfix has itself. */
#define MAILLOG_POSTLOG "postlog"

/*
 * Where lines go: syslog, if @log is NULL, MAILLOG_POSTLOG, or the path of a
 * file; under the tag @name.  Before this call they go to syslog as
 * "postfix/smtproute".  What was lost before is forgotten.
 */
void
maillog_open(const char *log, const char *name);

/*
 * Waits, not for long, until all lines are where they go to.  Returns NULL, or
 * why the first one that was lost could not be written, which Postfix may be
 * told: "/path: reason".  The string lives on.
 */
const char *
maillog_close(void);

/* In a process that guard_detach() has made: begins anew. */
void
maillog_detach(void);

/* Where syslog(3) connects to. */
#define MAILLOG_SYSLOG "/dev/log"

/* Does anything take what syslog(3) says?  Returns 0, or an errno. */
int
maillog_try_syslog(void);

/*
 * The queue id that begins each line; NULL: NOQUEUE, as in Postfix.  Letters,
 * digits, '-', '_' and '.' of it are kept.
 */
void
maillog_set_queue_id(const char *queue_id);

/* That of the last call; NULL: there is none. */
const char *
maillog_queue_id(void);

/*
 * One line.  Unprintable bytes become '?'.  Lines that cannot be written are
 * lost, see maillog_close(): the log never holds up mail.
 */
void
maillog_info(const char *format, ...) G_GNUC_PRINTF(1, 2);

void
maillog_warning(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Sends what GLib would print to the maillog instead. */
void
maillog_take_glib(void);

#endif
