/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "smtp/auth.h"
#include "util/secret.h"

/* No mechanism here has more than three. */
#define CHALLENGES_MAX 5

/* libESMTP takes lines of 1,024 bytes; no honest challenge comes near. */
#define CHALLENGE_MAX 900

static void
fail(struct dialogue *dialogue, const char *what)
{
	dialogue_fail_as(dialogue, TROUBLE_HOST, STAGE_AUTH, "4.7.8", what);
}

/* In base64 (RFC 4954 section 4); what is not would confuse libESMTP. */
static gboolean
is_challenge(const char *text)
{
	static const char bytes[] =
	    G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "+/=";

	return strlen(text) <= CHALLENGE_MAX &&
	    text[strspn(text, bytes)] == '\0';
}

/* libESMTP's answer comes with its next line. */
static void
pass_challenge(struct auth *auth, struct dialogue *dialogue,
    struct session *session, const struct reply *reply)
{
	const char *challenge = g_ptr_array_index(reply->lines, 0);
	g_autofree char *line = NULL;

	if (auth->challenges++ == CHALLENGES_MAX) {
		fail(dialogue, "AUTH: too many challenges");
	} else if (reply->lines->len > 1 || !is_challenge(challenge)) {
		fail(dialogue, "AUTH: unusable challenge");
	} else {
		line = g_strdup_printf("334 %s\r\n", challenge);
		session_tell(session, line);
	}
}

static void
note_mechanism(struct auth *auth, const char *command)
{
	const char *name = command + strlen("AUTH ");
	gsize length = strcspn(name, " \r");

	g_strlcpy(auth->mechanism, name,
	    MIN(length + 1, sizeof(auth->mechanism)));
}

/*
 * libESMTP gives LOGIN an initial response, the user's name.  Some hosts do
 * not look at it and ask for the name (LOGIN has no RFC, and had none in its
 * drafts), so they all are made to ask.
 */
static struct reply *
begin(struct dialogue *dialogue, const char *command)
{
	static const char login[] = "AUTH LOGIN ";
	struct reply *reply;

	if (!g_str_has_prefix(command, login))
		return dialogue_ask(dialogue, STAGE_AUTH, command);
	reply = dialogue_ask(dialogue, STAGE_AUTH, "AUTH LOGIN\r\n");
	if (reply == NULL || reply->code != 334)
		return reply;
	reply_free(reply);
	return dialogue_ask(dialogue, STAGE_AUTH, command + strlen(login));
}

struct reply *
auth_carry(struct auth *auth, struct dialogue *dialogue,
    struct session *session, const char *line)
{
	g_autoptr(Reply) reply = NULL;

	if (auth->under_way) {
		reply = dialogue_ask(dialogue, STAGE_AUTH, line);
	} else {
		note_mechanism(auth, line);
		auth->challenges = 0;
		reply = begin(dialogue, line);
	}
	auth->under_way = reply != NULL && reply->code == 334;
	if (!auth->under_way)
		return g_steal_pointer(&reply);
	pass_challenge(auth, dialogue, session, reply);
	return NULL;
}

struct reply *
auth_bear(struct dialogue *dialogue, const struct credentials *credentials,
    guint mechanisms, const char **ret_mechanism)
{
	enum mechanism mechanism = mechanisms & MECHANISM_OAUTHBEARER
	    ? MECHANISM_OAUTHBEARER
	    : MECHANISM_XOAUTH2;
	const char *name =
	    mechanism == MECHANISM_OAUTHBEARER ? "OAUTHBEARER" : "XOAUTH2";
	g_autoptr(Secret) message = mechanism == MECHANISM_OAUTHBEARER
	    ? credentials_oauthbearer(credentials)
	    : credentials_xoauth2(credentials);
	g_autoptr(Secret) encoded =
	    g_base64_encode((const guchar *)message, strlen(message));
	g_autoptr(Secret) command =
	    g_strdup_printf("AUTH %s %s\r\n", name, encoded);
	g_autoptr(Reply) reply = dialogue_ask(dialogue, STAGE_AUTH, command);

	*ret_mechanism = name;
	if (reply == NULL || reply->code != 334)
		return g_steal_pointer(&reply);
	/* What is wrong stands there, in JSON; it wants an answer first. */
	if (!dialogue_send(dialogue, STAGE_AUTH,
		mechanism == MECHANISM_OAUTHBEARER ? "AQ==\r\n" : "\r\n"))
		return NULL;
	return dialogue_reply(dialogue, STAGE_AUTH);
}

guint
auth_usable(const struct offer *offer, const struct credentials *credentials,
    gboolean protected, char **ret_why)
{
	guint usable = offer->mechanisms &
	    (credentials->token != NULL ? MECHANISMS_TOKEN
					: MECHANISMS_PASSWORD);

	if (usable != 0 && protected)
		return usable;
	if (usable != 0)
		*ret_why = g_strdup("AUTH: not in clear text");
	else if (offer->auth[0] == '\0')
		*ret_why = g_strdup("AUTH: not offered");
	else
		*ret_why =
		    g_strdup_printf("AUTH: no usable mechanism offered (%s)",
			offer->auth);
	return 0;
}
