/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line of the maillog: "STAMP host service[pid]: QUEUE-ID: text", with
 * syslog's stamp of old (RFC 3164) or a date and time (ISO 8601).
 */
#ifndef SMTPROUTE_CTL_TRACE_LOGLINE_H
#define SMTPROUTE_CTL_TRACE_LOGLINE_H

#include <glib.h>

struct logline {
	gint64 time;         /* seconds since 1970 */
	char *program;       /* "smtpd", printable */
	const char *message; /* in the line, what stands behind the id */
};

/*
 * FALSE: @line is not about the message @id.  The program is a new string.  A
 * stamp without a year is of the last twelve months.
 */
gboolean
logline_parse(const char *line, const char *id, struct logline *ret);

#endif
