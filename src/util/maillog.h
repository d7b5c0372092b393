/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines for the maillog: syslog, or a file with lines of the same form.
 */
#ifndef SMTPROUTE_MAILLOG_H
#define SMTPROUTE_MAILLOG_H

#include <glib.h>

/* Of a line, without its stamp; syslog servers keep 1 to 8 KiB. */
#define MAILLOG_LINE_MAX 1000

/*
 * Where lines go: @path, or syslog if it is NULL, under the tag @name.
 * Before this call they go to syslog as "postfix/smtproute".  Both strings
 * must outlive the log.
 */
void
maillog_open(const char *path, const char *name);

/*
 * The queue id that begins each line; NULL: NOQUEUE, as in Postfix.  Letters,
 * digits, '-', '_' and '.' of it are kept.
 */
void
maillog_set_queue_id(const char *queue_id);

/*
 * One line.  Unprintable bytes become '?'.  Lines that cannot be written are
 * lost: the log never holds up mail.
 */
void
maillog_info(const char *format, ...) G_GNUC_PRINTF(1, 2);

void
maillog_warning(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Sends what GLib would print to the maillog instead. */
void
maillog_take_glib(void);

#endif
