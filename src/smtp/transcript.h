/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A dialogue, line by line, for somebody who wants to read it.
 */
#ifndef SMTPROUTE_TRANSCRIPT_H
#define SMTPROUTE_TRANSCRIPT_H

#include <glib.h>

#include "smtp/reply.h"

/* All zero: nobody does. */
struct transcript {
	void (*said)(gboolean ours, const char *line, void *data);
	void *data;
	gboolean challenged; /* what comes next is a secret (RFC 4954) */
};

/*
 * Commands, with CRLF behind each.  What AUTH says, and what answers a reply
 * of 334, is asterisks; lines are printable.
 */
void
transcript_ours(struct transcript *transcript, const char *commands,
    gsize length);

/* The content is not shown, only how much it is. */
void
transcript_content(struct transcript *transcript, guint64 octets);

/* As it came, but printable; a host may repeat what it was told. */
void
transcript_theirs(struct transcript *transcript, const struct reply *reply);

#endif
