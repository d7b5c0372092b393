/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a host offers in its reply to EHLO (RFC 5321 section 4.1.1.1): the
 * keywords that this program has a use for.
 */
#ifndef SMTPROUTE_OFFER_H
#define SMTPROUTE_OFFER_H

#include <glib.h>

#include "smtp/reply.h"

/* SASL mechanisms that this program, or libESMTP, knows. */
enum mechanism {
	MECHANISM_PLAIN = 1,
	MECHANISM_LOGIN = 2,
	MECHANISM_CRAM_MD5 = 4,
	MECHANISM_XOAUTH2 = 8,
	MECHANISM_OAUTHBEARER = 16,
};

#define MECHANISMS_PASSWORD                                                    \
	(MECHANISM_PLAIN | MECHANISM_LOGIN | MECHANISM_CRAM_MD5)
#define MECHANISMS_TOKEN (MECHANISM_XOAUTH2 | MECHANISM_OAUTHBEARER)

/* As much as messages show of what a host has for AUTH. */
#define OFFER_AUTH_SHOWN 100

struct offer {
	gboolean eightbitmime;       /* RFC 6152 */
	gboolean pipelining;         /* RFC 2920 */
	gboolean size;               /* RFC 1870 */
	guint64 size_limit;          /* octets, 0: none */
	gboolean starttls;           /* RFC 3207 */
	gboolean dsn;                /* RFC 3461 */
	gboolean smtputf8;           /* RFC 6531 */
	guint mechanisms;            /* of AUTH (RFC 4954), enum mechanism */
	char auth[OFFER_AUTH_SHOWN]; /* AUTH's parameter, not printable yet */
};

/* @ignore: keywords that do not count, NULL: none.  See wordlist.h. */
struct offer
offer_parse(const struct reply *reply, const char *ignore);

/*
 * A reply to EHLO for libESMTP, which would use extensions that do harm: it
 * offers PIPELINING as the host does, and of AUTH @mechanisms, those for
 * passwords.  libESMTP takes the first that it has a plug-in for: with @secured
 * in the order PLAIN, LOGIN, CRAM-MD5, else with CRAM-MD5 before them.  A new
 * string.
 */
char *
offer_format(const struct offer *offer, guint mechanisms, gboolean secured);

#endif
