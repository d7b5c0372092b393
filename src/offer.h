/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a host offers in its reply to EHLO (RFC 5321 section 4.1.1.1): the
 * keywords that this program has a use for.
 */
#ifndef SMTPROUTE_OFFER_H
#define SMTPROUTE_OFFER_H

#include <glib.h>

#include "reply.h"

struct offer {
	gboolean eightbitmime; /* RFC 6152 */
	gboolean pipelining;   /* RFC 2920 */
	gboolean size;         /* RFC 1870 */
	guint64 size_limit;    /* octets, 0: none */
};

struct offer
offer_parse(const struct reply *reply);

/*
 * The same as a reply to EHLO that offers nothing else: libESMTP would use
 * extensions that do harm.  A new string.
 */
char *
offer_format(const struct offer *offer);

#endif
