/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "smtp/login.h"

/* Trouble that is not in a reply. */
static gboolean
fail(struct dialogue *dialogue, enum trouble trouble, const char *dsn,
    const char *what)
{
	dialogue_quit(dialogue);
	dialogue_fail_as(dialogue, trouble, STAGE_AUTH, dsn, what);
	return FALSE;
}

/* @reply ends AUTH. */
static void
judge(struct login *login, struct dialogue *dialogue, const char *mechanism,
    const struct reply *reply)
{
	login->done = outcome_is_success(STAGE_AUTH, reply);
	if (login->done)
		login->authenticated(mechanism, login->data);
	else
		dialogue_settle(dialogue, STAGE_AUTH, reply);
}

static gboolean
bear_token(struct login *login, struct dialogue *dialogue, guint mechanisms)
{
	g_autoptr(Reply) reply = NULL;
	const char *mechanism;

	reply = auth_bear(dialogue, login->credentials, mechanisms, &mechanism);
	if (reply == NULL)
		return FALSE;
	judge(login, dialogue, mechanism, reply);
	if (!login->done)
		dialogue_quit(dialogue);
	return login->done;
}

gboolean
login_prepare(struct login *login, struct dialogue *dialogue,
    const struct offer *offer, guint *ret_mechanisms)
{
	g_autofree char *why = NULL;
	guint mechanisms;

	*ret_mechanisms = 0;
	if (login->credentials == NULL)
		return TRUE;
	mechanisms = auth_usable(offer, login->credentials,
	    peer_tls(dialogue->peer) != NULL || login->in_clear, &why);
	/* A host that offers less than before gets what it offers. */
	if ((mechanisms & ~login->without) != 0)
		mechanisms &= ~login->without;
	if (mechanisms == 0)
		return fail(dialogue, TROUBLE_HOST, "4.7.8", why);
	if (login->credentials->token != NULL)
		return bear_token(login, dialogue, mechanisms);
	login->offered = mechanisms;
	*ret_mechanisms = mechanisms;
	return TRUE;
}

/*
 * Some hosts offer CRAM-MD5 although their passwords are not stored for it,
 * and say 535 then, as if the password were wrong.  It comes first only where
 * there is no TLS; the others give no more away than the settings allow.
 */
static gboolean
may_do_otherwise(const struct login *login, const struct dialogue *dialogue,
    int code)
{
	return code == 535 && peer_tls(dialogue->peer) == NULL &&
	    g_str_equal(login->auth.mechanism, "CRAM-MD5") &&
	    (login->offered & ~(guint)MECHANISM_CRAM_MD5) != 0;
}

static void
note_failure(struct login *login, struct dialogue *dialogue,
    const struct reply *reply)
{
	struct outcome outcome = {0};

	outcome_from_reply(&outcome, STAGE_AUTH, reply, 1);
	login->failure = g_steal_pointer(&outcome.text);
	credentials_mask(login->credentials, login->failure);
	outcome_clear(&outcome);
	transaction_reopen(dialogue->transaction);
}

/*
 * Within a session libESMTP goes on with its next mechanism only after 504,
 * which says that the host does not have this one: a wrong password is not
 * tried twice.
 */
void
login_carry(struct login *login, struct dialogue *dialogue,
    struct session *session, const char *line)
{
	g_autoptr(Reply) reply = NULL;

	if (!login->auth.under_way)
		transaction_reopen(dialogue->transaction);
	reply = auth_carry(&login->auth, dialogue, session, line);
	if (reply == NULL)
		return;
	judge(login, dialogue, login->auth.mechanism, reply);
	if (!login->done && reply->code != 504)
		dialogue_quit(dialogue);
	if (may_do_otherwise(login, dialogue, reply->code))
		note_failure(login, dialogue, reply);
	session_tell_code(session, reply->code);
}

gboolean
login_is_done(const struct login *login, struct dialogue *dialogue)
{
	if (login->credentials == NULL || login->done)
		return TRUE;
	/* After 504 the outcome is there already. */
	return fail(dialogue, TROUBLE_MESSAGE, "4.3.5",
	    "AUTH: libESMTP has no plug-in for it");
}
