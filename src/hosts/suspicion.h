/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Suspicion: a host that ends a session by 421 after its reply to EHLO may
 * mean this sender only, or be in trouble of its own.  Which of the two shows
 * with the next message of another sender.
 */
#ifndef SMTPROUTE_SUSPICION_H
#define SMTPROUTE_SUSPICION_H

#include <glib.h>

#define SUSPICION_REASONS 2

/* Senders are known by suspicion_sender().  All zero: none. */
struct suspicion {
	guint64 sender; /* whose message ended so, 0: the host is not suspect */
	guint64 reasons[SUSPICION_REASONS]; /* those that brought it down */
};

/* What a sender is known by, never 0. */
guint64
suspicion_sender(const char *sender);

/*
 * A message of @sender ended so.  TRUE: one of another sender did before, so
 * it is the host, and both are the reasons.
 */
gboolean
suspicion_confirmed(struct suspicion *suspicion, guint64 sender);

/* Its messages should not be the ones to find out whether the host is up. */
gboolean
suspicion_is_reason(const struct suspicion *suspicion, guint64 sender);

#endif
