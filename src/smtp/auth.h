/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AUTH (RFC 4954): with a password by libESMTP's plug-ins, with a token of
 * OAuth here, since what libESMTP sends for a mechanism must fit into 2,048
 * bytes, and tokens do not.
 *
 * Nothing here is logged; every line that is sent is wiped.
 */
#ifndef SMTPROUTE_AUTH_H
#define SMTPROUTE_AUTH_H

#include <glib.h>

#include "conf/credentials.h"
#include "smtp/dialogue.h"
#include "smtp/offer.h"
#include "smtp/session.h"

/* The longest name of a mechanism (RFC 4422 section 3.1), and a NUL. */
#define AUTH_NAME_SIZE 21

/* libESMTP's AUTH; all zero before the first one. */
struct auth {
	gboolean under_way;             /* the host waits for another line */
	char mechanism[AUTH_NAME_SIZE]; /* of it, or of the last one */
	guint challenges;
};

/*
 * Carries a line of libESMTP's: the command, or if AUTH is under way what comes
 * next.  Returns the host's verdict, which is 235 or a refusal.  NULL: @session
 * was told of a challenge, or the dialogue is over.
 */
struct reply *
auth_carry(struct auth *auth, struct dialogue *dialogue,
    struct session *session, const char *line);

/*
 * AUTH with a token, by the better one of @mechanisms, whose name
 * *ret_mechanism becomes.  NULL: the session is over.
 */
struct reply *
auth_bear(struct dialogue *dialogue, const struct credentials *credentials,
    guint mechanisms, const char **ret_mechanism);

/*
 * Which of the mechanisms that a host offers can be used with these
 * credentials?  @protected: TLS is on, or they may go without.  None: *ret_why
 * says why, a new string.
 */
guint
auth_usable(const struct offer *offer, const struct credentials *credentials,
    gboolean protected, char **ret_why);

#endif
