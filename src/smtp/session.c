/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <auth-client.h>
#include <libesmtp.h>

#include "smtp/dial.h"
#include "smtp/reply.h"
#include "smtp/session.h"
#include "util/autofd.h"
#include "util/secret.h"

/*
 * libESMTP insists on a server to look up and connect to; this one costs no
 * lookup, and the seam of dial.c gives it its end of the pair for a socket.
 */
#define DUMMY_SERVER "127.0.0.1:1"

/*
 * All that it waits for is there already, so that its time-outs, in ms, end
 * only what has gone wrong here; deadlines are kept outside.
 */
#define LIB_TIMEOUT 1000L

/*
 * libESMTP writes at most 2,048 bytes at once, and only while poll(2) finds
 * room, which is while three quarters of the buffer are free.
 */
#define WRITES_MAX 4

/* To DATA and QUIT. */
#define REPLIES_BEHIND_RCPT 2

/* To EHLO, HELO and MAIL, and one more for each mechanism that it may try. */
#define REPLIES_BEFORE_RCPT 7

G_DEFINE_QUARK(smtproute_session_error, session_error)

struct session {
	int inner; /* libESMTP's end of the pair */
	int outer;
	smtp_session_t lib; /* NULL: there is no message */
	smtp_message_t message;
	auth_context_t auth; /* NULL: no credentials */
	guint writes;        /* that the pair holds */
	GString *output;     /* what it wrote and nobody has heard yet */
	GString *input;      /* what it is told and has not got yet */
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
set_timeouts(smtp_session_t lib)
{
	static const int which[] = {Timeout_GREETING, Timeout_ENVELOPE,
	    Timeout_DATA, Timeout_TRANSFER, Timeout_DATA2};

	for (gsize i = 0; i < G_N_ELEMENTS(which); i++)
		if (smtp_set_timeout(lib,
			which[i] | Timeout_OVERRIDE_RFC2822_MINIMUM,
			LIB_TIMEOUT) == 0)
			return FALSE;
	return TRUE;
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
add_message(struct session *session, const struct mailbox *sender,
    const GPtrArray *recipients, guint64 size)
{
	session->message = smtp_add_message(session->lib);
	session->replies_max =
	    REPLIES_BEFORE_RCPT + recipients->len + REPLIES_BEHIND_RCPT;
	return session->message != NULL &&
	    smtp_set_messagecb(session->message, no_content, NULL) &&
	    smtp_set_reverse_path(session->message, sender->path) &&
	    smtp_size_set_estimate(session->message, size) &&
	    add_recipients(session->message, recipients);
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

/* There is room for all: libESMTP has read what came before. */
static void
flush_input(struct session *session)
{
	gssize n;

	do
		n = send(session->outer, session->input->str,
		    session->input->len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		g_string_erase(session->input, 0, n);
}

/* What nobody reads: it has been heard, or is of the message before. */
static void
drop(int fd)
{
	char buffer[4096];
	gssize n;

	/* Less than there is room for is all. */
	do {
		n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		explicit_bzero(buffer, MAX(n, 0));
	} while (n == sizeof(buffer));
}

static void
drop_output(struct session *session)
{
	drop(session->outer);
	session->writes = 0;
}

/* libESMTP's monitor: it is about to write @text, and will read then. */
static void
overhear(const char *text, int length, int what, void *data)
{
	struct session *session = data;
	char *line;

	if (what != SMTP_CB_WRITING)
		return;
	g_string_append_len(session->output, text, length);
	while ((line = take_line(session)) != NULL) {
		session->said(line, session->data);
		secret_free(line);
	}
	if (session->input->len > 0)
		flush_input(session);
	if (session->writes == WRITES_MAX)
		drop_output(session);
	session->writes++;
}

/* FALSE: no memory. */
static gboolean
set_up(struct session *session, const char *helo_name)
{
	session->lib = smtp_create_session();
	return session->lib != NULL &&
	    smtp_set_server(session->lib, DUMMY_SERVER) &&
	    smtp_set_hostname(session->lib, helo_name) &&
	    smtp_set_monitorcb(session->lib, overhear, session, FALSE) &&
	    set_timeouts(session->lib);
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
session_new(GError **error)
{
	struct session *session;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		g_set_error(error, SESSION_ERROR, SESSION_ERROR_FAILED,
		    "socketpair: %s", g_strerror(errno));
		return NULL;
	}
	session = g_new0(struct session, 1);
	session->inner = pair[0];
	session->outer = pair[1];
	session->output = g_string_new(NULL);
	session->input = g_string_new(NULL);
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
	g_string_truncate(session->input, 0);
	drop(session->inner);
	drop_output(session);
}

gboolean
session_begin(struct session *session, const char *helo_name,
    const struct mailbox *sender, const GPtrArray *recipients, guint64 size,
    const struct credentials *credentials, GError **error)
{
	clear(session);
	if (set_up(session, helo_name) &&
	    add_message(session, sender, recipients, size) &&
	    set_up_auth(session, credentials))
		return TRUE;
	g_set_error(error, SESSION_ERROR, SESSION_ERROR_FAILED,
	    "libESMTP: out of memory");
	return FALSE;
}

void
session_tell(struct session *session, const char *text)
{
	g_string_append(session->input, text);
}

void
session_tell_code(struct session *session, int code)
{
	reply_append_code(session->input, code);
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

/* For good: libESMTP refuses a host without 8BITMIME then. */
void
session_use_8bitmime(struct session *session)
{
	smtp_8bitmime_set_body(session->message, E8bitmime_8BITMIME);
}

void
session_run(struct session *session, session_said said, void *data)
{
	gboolean secret;

	session->said = said;
	session->data = data;
	flush_input(session);
	dial_seam(session->inner);
	smtp_start_session(session->lib);
	/* If it never came to connect(). */
	dial_seam(-1);
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
	autofd_clear(&session->outer);
	autofd_clear(&session->inner);
	clear_lib(session);
	g_string_free(session->output, TRUE);
	g_string_free(session->input, TRUE);
	g_free(session);
}
