/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A DNS message as an answer, whoever wrote it.
 */
#ifndef SMTPROUTE_ANSWER_H
#define SMTPROUTE_ANSWER_H

#include <arpa/nameser.h>

#include <glib.h>

/*
 * Called for each record; *message is for names that point into it.  FALSE:
 * the record is malformed.
 */
typedef gboolean (
    *answer_visit)(const ns_msg *message, const ns_rr *record, void *data);

/*
 * The records of @type (of arpa/nameser.h) and class IN in a message of
 * @length bytes, in its order.  Those of any owner count: the resolver answers
 * for aliases, too.  FALSE: it is malformed, or not the whole answer to a
 * question; some records may have been visited then.
 */
gboolean
answer_records(const unsigned char *bytes, gsize length, ns_type type,
    answer_visit visit, void *data);

/* The response code, as a status of c-ares. */
int
answer_status(const unsigned char *bytes, gsize length);

/* What the resolver vouches for: the AD bit (RFC 4035 section 3.2.3). */
gboolean
answer_is_secure(const unsigned char *bytes, gsize length);

#endif
