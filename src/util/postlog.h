/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines to Postfix's own log, whatever that is (maillog_file, or syslog), by
 * its postlog(1): only that may enter the folder of postlogd(8)'s socket.
 */
#ifndef SMTPROUTE_POSTLOG_H
#define SMTPROUTE_POSTLOG_H

#include <glib.h>

struct postlog;

/* The path of postlog(1), a new string; NULL: there is none. */
char *
postlog_find(void);

/*
 * Starts postlog(1), which runs until postlog_end() or this process's end and
 * holds none of its descriptors.  NULL: *ret_reason is why, a new string.
 */
struct postlog *
postlog_begin(const char *tag, char **ret_reason);

/* One line.  FALSE: it could not be passed on, within a second. */
gboolean
postlog_write(struct postlog *postlog, const char *line);

/*
 * Waits for two seconds at most until all is logged.  Returns NULL, or what
 * postlog(1) complained of, a new string.
 */
char *
postlog_end(struct postlog *postlog);

#endif
