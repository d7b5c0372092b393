/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The maillog: files, rotated and compressed ones too, or the journal.
 */
#ifndef SMTPROUTE_CTL_TRACE_MAILLOGS_H
#define SMTPROUTE_CTL_TRACE_MAILLOGS_H

#include <glib.h>

#include "conf/settings.h"

/*
 * The files that there are by default, new strings, the oldest first:
 * /var/log/mail.log and maillog, Postfix's maillog_file and the file of our
 * log, with those that they were rotated to.
 */
GPtrArray *
maillogs_find(const struct settings *settings);

/* Sorts paths, the file that was written to last behind. */
void
maillogs_sort(GPtrArray *paths);

/*
 * Hands over all lines of a file, unpacked by its suffix.  FALSE with an error:
 * that is not all.
 */
gboolean
maillogs_read(const char *path,
    void (*take)(char *line, gsize length, gpointer data), gpointer data,
    GError **error);

/* The same of what the journal has of the facility mail. */
gboolean
maillogs_read_journal(void (*take)(char *line, gsize length, gpointer data),
    gpointer data, GError **error);

#endif
