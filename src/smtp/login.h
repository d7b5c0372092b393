/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a session has to do before the host may have mail: AUTH, where there
 * are credentials (RFC 4954).
 */
#ifndef SMTPROUTE_LOGIN_H
#define SMTPROUTE_LOGIN_H

#include <glib.h>

#include "conf/credentials.h"
#include "smtp/auth.h"
#include "smtp/dialogue.h"
#include "smtp/offer.h"
#include "smtp/session.h"

struct login {
	const struct credentials *credentials; /* NULL: nothing is to be done */
	gboolean in_clear;                     /* they may go without TLS */
	void (*authenticated)(const char *mechanism, void *data);
	void *data;
	guint without; /* of enum mechanism: not these */
	guint offered; /* what there is to choose from */
	struct auth auth;
	gboolean done;
	char *failure; /* NULL, or how CRAM-MD5 was refused, where another
			* mechanism may be tried on a new connection; no
			* recipient has an outcome then */
};

/*
 * After EHLO: a token is sent at once, for a password *ret_mechanisms says
 * what libESMTP is to be told of, otherwise 0.  FALSE: the session is over.
 */
gboolean
login_prepare(struct login *login, struct dialogue *dialogue,
    const struct offer *offer, guint *ret_mechanisms);

/*
 * Carries a line of libESMTP's AUTH, which begins with @line or has it next,
 * and tells @session what comes of it, unless the session is over.
 */
void
login_carry(struct login *login, struct dialogue *dialogue,
    struct session *session, const char *line);

/*
 * Before MAIL, which libESMTP says even if nothing came of AUTH.  FALSE: the
 * session is over.
 */
gboolean
login_is_done(const struct login *login, struct dialogue *dialogue);

#endif
