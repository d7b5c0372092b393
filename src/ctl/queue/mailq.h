/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Postfix's queue, message by message, from postqueue -j.
 */
#ifndef SMTPROUTE_CTL_QUEUE_MAILQ_H
#define SMTPROUTE_CTL_QUEUE_MAILQ_H

#include <glib.h>

/* Where a message is. */
enum mailq_place {
	MAILQ_DEFERRED,
	MAILQ_ACTIVE, /* being tried, or about to be */
	MAILQ_HELD,
	MAILQ_PLACES,
};

struct mailq_recipient {
	char *domain; /* lower case, "" for none */
	char *reason; /* why it was deferred, NULL: it was not */
};

struct mailq_message {
	char *id;
	enum mailq_place place;
	gint64 arrival;        /* seconds since 1970 */
	GPtrArray *recipients; /* of struct mailq_recipient */
};

/*
 * Hands them to @take, some at a time, an array of struct mailq_message, in
 * the order of the queue.  *ret_unread: how many could not be read.  FALSE
 * with COMMAND_ERROR: that is not all.
 */
gboolean
mailq_read(void (*take)(const GPtrArray *messages, gpointer data),
    gpointer data, guint64 *ret_unread, GError **error);

#endif
