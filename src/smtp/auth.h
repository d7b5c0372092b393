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

/*
 * The host's verdict on libESMTP's AUTH, which begins with @command: 235, or a
 * refusal.  NULL: the session is over.
 */
struct reply *
auth_carry(struct dialogue *dialogue, struct session *session,
    const char *command);

/*
 * The same for a token, with the better one of @mechanisms, whose name
 * *ret_mechanism becomes.
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

/* The mechanism in an AUTH command, a new string. */
char *
auth_mechanism(const char *command);

#endif
