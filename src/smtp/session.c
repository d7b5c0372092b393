/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include <auth-client.h>
#include <libesmtp.h>

#include "smtp/reply.h"
#include "smtp/seam.h"
#include "smtp/session.h"
#include "util/secret.h"

/*
 * libESMTP insists on a server to look up and connect to; this one costs no
 * lookup, and what it gets for a socket is the seam.
 */
#define DUMMY_SERVER "127.0.0.1:1"

/* To DATA and QUIT. */
#define REPLIES_BEHIND_RCPT 2

/* To EHLO, HELO and MAIL, and one more for each mechanism that it may try. */
#define REPLIES_BEFORE_RCPT 7

G_DEFINE_QUARK(smtproute_session_error, session_error)

struct session {
	smtp_session_t lib;  /* NULL: there is no message */
	auth_context_t auth; /* NULL: no credentials */
	struct seam seam;    /* with what it is told and has not read yet */
	GString *output;     /* what it wrote and nobody has heard yet */
	guint replies_max;   /* it never waits for more until its end */
	session_said said;
	void *data; /* for @said */
};

/*
 * The content does not pass through libESMTP, which would rewrite it, and DATA
 * is refused to it; but it does not begin without this.
 */
static const char *
no_content(void **context, int *length, void *data)
{
	(void)context;
	(void)data;
	if (length != NULL)
		*length = 0;
	return NULL;
}

static gboolean
add_recipients(smtp_message_t message, const GPtrArray *recipients)
{
	for (guint i = 0; i < recipients->len; i++) {
		const struct mailbox *to = g_ptr_array_index(recipients, i);

		if (smtp_add_recipient(message, to->path) == NULL)
			return FALSE;
	}
	return TRUE;
}

/* FALSE: no memory. */
static gboolean
add_message(struct session *session, const GPtrArray *recipients)
{
	smtp_message_t message = smtp_add_message(session->lib);

	session->replies_max =
	    REPLIES_BEFORE_RCPT + recipients->len + REPLIES_BEHIND_RCPT;
	return message != NULL &&
	    smtp_set_messagecb(message, no_content, NULL) &&
	    smtp_set_reverse_path(message, NULL) &&
	    add_recipients(message, recipients);
}

/* The next line, a new string, which with AUTH is a secret; NULL: none yet. */
static char *
take_line(struct session *session)
{
	GString *output = session->output;
	gsize length;
	char *line;

	if (!session_has_more(session))
		return NULL;
	length = strcspn(output->str, "\n") + 1;
	line = g_strndup(output->str, length);
	g_string_erase(output, 0, length);
	explicit_bzero(output->str + output->len,
	    output->allocated_len - output->len);
	return line;
}

/* What libESMTP writes. */
static void
overhear(const char *text, gsize length, void *data)
{
	struct session *session = data;
	char *line;

	g_string_append_len(session->output, text, (gssize)length);
	while ((line = take_line(session)) != NULL) {
		session->said(line, session->data);
		secret_free(line);
	}
}

/* FALSE: no memory. */
static gboolean
set_up(struct session *session, const char *helo_name)
{
	session->lib = smtp_create_session();
	return session->lib != NULL &&
	    smtp_set_server(session->lib, DUMMY_SERVER) &&
	    smtp_set_hostname(session->lib, helo_name);
}

/* For libESMTP's plug-ins, which ask for what they need. */
static int
give_credentials(auth_client_request_t request, char **result, int fields,
    void *data)
{
	const struct credentials *credentials = data;

	for (int i = 0; i < fields; i++) {
		if (request[i].flags & AUTH_PASS)
			result[i] = credentials->password;
		else if (request[i].flags & AUTH_USER)
			result[i] = credentials->username;
		else
			return 0;
	}
	return 1;
}

/*
 * Once, without auth_client_exit(): that unloads the plug-ins, which the next
 * session needs again.
 */
static void
init_auth(void)
{
	static gboolean done;

	if (!done)
		auth_client_init();
	done = TRUE;
}

/* FALSE: no memory. */
static gboolean
set_up_auth(struct session *session, const struct credentials *credentials)
{
	if (credentials == NULL || credentials->password == NULL)
		return TRUE;
	init_auth();
	session->auth = auth_create_context();
	return session->auth != NULL &&
	    auth_set_mechanism_flags(session->auth, AUTH_PLUGIN_PLAIN, 0) &&
	    auth_set_interact_cb(session->auth, give_credentials,
		(void *)(guintptr)credentials) &&
	    smtp_auth_set_context(session->lib, session->auth);
}

struct session *
session_new(void)
{
	struct session *session = g_new0(struct session, 1);

	session->output = g_string_new(NULL);
	session->seam.input = g_string_new(NULL);
	session->seam.written = overhear;
	session->seam.data = session;
	return session;
}

static void
clear_lib(struct session *session)
{
	g_clear_pointer(&session->lib, smtp_destroy_session);
	g_clear_pointer(&session->auth, auth_destroy_context);
}

/* Nothing of the message before. */
static void
clear(struct session *session)
{
	clear_lib(session);
	g_string_truncate(session->output, 0);
	g_string_truncate(session->seam.input, 0);
}

gboolean
session_begin(struct session *session, const char *helo_name,
    const GPtrArray *recipients, const struct credentials *credentials,
    GError **error)
{
	clear(session);
	if (set_up(session, helo_name) && add_message(session, recipients) &&
	    set_up_auth(session, credentials))
		return TRUE;
	g_set_error(error, SESSION_ERROR, SESSION_ERROR_FAILED,
	    "libESMTP: out of memory");
	return FALSE;
}

void
session_tell(struct session *session, const char *text)
{
	g_string_append(session->seam.input, text);
}

void
session_tell_code(struct session *session, int code)
{
	reply_append_code(session->seam.input, code);
	session_tell(session, " -\r\n");
}

/*
 * The connection must not just close: libESMTP, with three or more commands
 * under way (PIPELINING), would look for replies after its own end, and crash.
 */
void
session_refuse(struct session *session)
{
	for (guint i = 0; i < session->replies_max; i++)
		session_tell_code(session, 451);
}

void
session_run(struct session *session, session_said said, void *data)
{
	gboolean secret;

	session->said = said;
	session->data = data;
	seam_open(&session->seam);
	smtp_start_session(session->lib);
	seam_close();
	secret = session->auth != NULL;
	clear_lib(session);
	if (secret)
		secret_sweep();
}

gboolean
session_has_more(const struct session *session)
{
	return strchr(session->output->str, '\n') != NULL;
}

void
session_free(struct session *session)
{
	clear_lib(session);
	g_string_free(session->output, TRUE);
	g_string_free(session->seam.input, TRUE);
	g_free(session);
}
