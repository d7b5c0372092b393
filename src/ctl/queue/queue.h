/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The forms that "smtproutectl queue" has.
 */
#ifndef SMTPROUTE_CTL_QUEUE_QUEUE_H
#define SMTPROUTE_CTL_QUEUE_QUEUE_H

#include <glib.h>

#include "ctl/ctl.h"
#include "ctl/queue/census.h"

/* For people: routes, what they wait for, and a sum. */
void
queue_say_text(const struct ctl *ctl, const struct census *census);

/* One object; smtproutectl(8) has the keys. */
void
queue_say_json(const struct census *census, guint64 unread);

/* From which on it is too much. */
struct queue_limit {
	guint64 messages;
	gint64 age; /* microseconds */
};

/* "100", or "100,1h".  FALSE: it is neither. */
gboolean
queue_parse_limit(const char *text, struct queue_limit *ret);

/*
 * One line, with figures, and an exit status by the Monitoring Plugins
 * Development Guidelines; messages that are held do not count.
 */
enum ctl_status
queue_say_check(const struct census *census, const struct queue_limit *warning,
    const struct queue_limit *critical);

#endif
