/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Having Postfix try deferred messages now.
 */
#ifndef SMTPROUTE_CTL_QUEUE_FLUSH_H
#define SMTPROUTE_CTL_QUEUE_FLUSH_H

#include <glib.h>

/*
 * Several at a time; @ids are strings.  Returns how many Postfix has been
 * asked to try; with COMMAND_ERROR if it did not take all, which ends it.
 */
guint
flush_all(const GPtrArray *ids, GError **error);

#endif
