/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/socket.h>

#include <auth-client.h>
#include <libesmtp.h>

#include "smtp/dial.h"
#include "smtp/halt.h"
#include "smtp/session.h"
#include "util/autofd.h"
#include "util/deadline.h"
#include "util/secret.h"

/*
 * libESMTP insists on a server to look up and connect to; this one costs no
 * lookup, and the seam of dial.c answers the connect().
 */
#define DUMMY_SERVER "127.0.0.1:1"

/* Deadlines are kept outside; libESMTP's must not come first.  In ms. */
#define LIB_TIMEOUT (24 * 3600 * 1000L)

/*
 * libESMTP formats a command in at most 1,024 bytes and an end of line.  So
 * much is read at once, too, and with PIPELINING goes to the host at once.
 */
#define COMMAND_MAX 2048

/* To DATA and QUIT. */
#define REPLIES_BEHIND_RCPT 2

/* One more for each mechanism that it may still try. */
#define AUTH_REPLIES_MAX 4

/* For libESMTP's own headers, which have a few hundred bytes. */
#define SWALLOW_MAX (64 * 1024)

/*
 * libESMTP answers at once.  If it does not, it has failed to write and waits
 * for a reply to what it never said.
 */
#define ANSWER_SPAN (30 * G_USEC_PER_SEC)

G_DEFINE_QUARK(smtproute_session_error, session_error)

struct session {
	smtp_session_t lib;
	smtp_message_t message;
	auth_context_t auth; /* NULL: no credentials */
	GThread *thread;
	int inner; /* libESMTP's end of the pair */
	int outer;
	GString *output;   /* what it wrote and nobody took yet */
	GString *input;    /* what it is told and there was no room for yet */
	guint replies_max; /* it never waits for more until its end */
	gboolean alone;    /* the message has one recipient */
	struct halt halt;  /* its, behind a message that is not the last */
};

/* The content does not pass through libESMTP, which would rewrite it. */
static const char *
no_content(void **context, int *length, void *data)
{
	(void)context;
	(void)data;
	if (length != NULL)
		*length = 0;
	return NULL;
}

/*
 * In libESMTP's thread.  When this returns behind a message it goes on with the
 * next one, or with QUIT if there is none.
 */
static void
note_event(smtp_session_t lib G_GNUC_UNUSED, int event, void *data, ...)
{
	struct session *session = data;

	if (event == SMTP_EV_MESSAGESENT)
		halt_make(&session->halt);
}

static gboolean
set_timeouts(smtp_session_t lib)
{
	static const int which[] = {Timeout_GREETING, Timeout_ENVELOPE,
	    Timeout_DATA, Timeout_TRANSFER, Timeout_DATA2};

	for (gsize i = 0; i < G_N_ELEMENTS(which); i++)
		if (smtp_set_timeout(lib, which[i], LIB_TIMEOUT) == 0)
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
	session->alone = recipients->len == 1;
	/* After MAIL; any before that is refused it answers with QUIT. */
	session->replies_max = recipients->len + REPLIES_BEHIND_RCPT;
	return session->message != NULL &&
	    smtp_set_messagecb(session->message, no_content, NULL) &&
	    smtp_set_reverse_path(session->message, sender->path) &&
	    smtp_size_set_estimate(session->message, size) &&
	    add_recipients(session->message, recipients);
}

/* FALSE: no memory. */
static gboolean
set_up(struct session *session, const char *helo_name)
{
	session->lib = smtp_create_session();
	return session->lib != NULL &&
	    smtp_set_server(session->lib, DUMMY_SERVER) &&
	    smtp_set_hostname(session->lib, helo_name) &&
	    smtp_set_eventcb(session->lib, note_event, session) &&
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
 * Once, without auth_client_exit(): that unloads the plug-ins, also those that
 * sessions with kept connections still have.
 */
static void
init_auth(void)
{
	static gsize done;

	if (!g_once_init_enter(&done))
		return;
	auth_client_init();
	g_once_init_leave(&done, TRUE);
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

static gpointer
drive(gpointer data)
{
	struct session *session = data;

	dial_seam(session->inner);
	smtp_start_session(session->lib);
	if (session->auth != NULL)
		secret_sweep();
	/* For whoever waits, also if it never came to connect(). */
	shutdown(session->inner, SHUT_RDWR);
	halt_end(&session->halt);
	return NULL;
}

/*
 * Its thread needs no heap of its own, which the C library would set up and
 * take down again for each message of pipe(8).
 */
static void
share_heap(void)
{
	static gsize done;

	if (!g_once_init_enter(&done))
		return;
	mallopt(M_ARENA_MAX, 1);
	g_once_init_leave(&done, TRUE);
}

struct session *
session_start(const char *helo_name, const struct mailbox *sender,
    const GPtrArray *recipients, guint64 size,
    const struct credentials *credentials, GError **error)
{
	g_autoptr(Session) session = g_new0(struct session, 1);
	int pair[2] = {-1, -1};
	int result;

	result = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	session->inner = pair[0];
	session->outer = pair[1];
	session->output = g_string_new(NULL);
	session->input = g_string_new(NULL);
	halt_init(&session->halt);
	if (result < 0) {
		g_set_error(error, SESSION_ERROR, SESSION_ERROR_FAILED,
		    "socketpair: %s", g_strerror(errno));
		return NULL;
	}
	if (!set_up(session, helo_name) ||
	    !add_message(session, sender, recipients, size) ||
	    !set_up_auth(session, credentials)) {
		g_set_error(error, SESSION_ERROR, SESSION_ERROR_FAILED,
		    "libESMTP: out of memory");
		return NULL;
	}
	if (credentials != NULL)
		session->replies_max += AUTH_REPLIES_MAX;
	share_heap();
	session->thread = g_thread_try_new("libesmtp", drive, session, error);
	return session->thread != NULL ? g_steal_pointer(&session) : NULL;
}

/*
 * Gives it what there is room for, and does not wait: libESMTP may be writing,
 * as it is with many recipients, and read nothing before it is done.  FALSE: it
 * has ended.
 */
static gboolean
flush_input(struct session *session)
{
	gssize n = send(session->outer, session->input->str,
	    session->input->len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0)
		g_string_erase(session->input, 0, n);
	return n >= 0 || errno == EAGAIN || errno == EINTR;
}

/* What it may do, as poll(2) has it. */
static struct pollfd
awaited(const struct session *session)
{
	struct pollfd pollfd = {.fd = session->outer, .events = POLLIN};

	if (session->input->len > 0)
		pollfd.events |= POLLOUT;
	return pollfd;
}

/*
 * Refuses whatever libESMTP waits for until it has said QUIT.  The connection
 * must not just close: libESMTP, with three or more commands under way
 * (PIPELINING), would look for replies after its own end, and crash.  With
 * many recipients neither direction holds all: both sides would wait, if what
 * it writes were not read meanwhile.
 */
static void
dismiss(struct session *session)
{
	char buffer[COMMAND_MAX];
	gboolean ended = FALSE;

	for (guint i = 0; i < session->replies_max; i++)
		g_string_append(session->input, "451 -\r\n");
	while (!ended) {
		struct pollfd pollfd = awaited(session);

		if (deadline_poll(&pollfd, 1, deadline_in(ANSWER_SPAN)) <= 0)
			break;
		if (pollfd.revents & ~POLLOUT)
			ended = recv(session->outer, buffer, sizeof(buffer),
				    0) <= 0;
		else if (!flush_input(session))
			break;
		else if (session->input->len == 0)
			shutdown(session->outer, SHUT_WR);
	}
	/* If it is stuck. */
	shutdown(session->outer, SHUT_RDWR);
}

void
session_keep(struct session *session, gboolean keep)
{
	if (keep)
		halt_want(&session->halt);
	else
		halt_lift(&session->halt, FALSE);
}

/* Until it stands still behind the message, or has ended. */
static gboolean
await_halt(struct session *session)
{
	return halt_await(&session->halt, deadline_in(ANSWER_SPAN));
}

/* It says all of a message for one recipient before anybody reads of it. */
static void
await_commands(struct session *session)
{
	if (session->alone)
		await_halt(session);
}

gboolean
session_answer(struct session *session, const char *answers)
{
	session_keep(session, TRUE);
	if (!session_tell(session, answers))
		return FALSE;
	await_commands(session);
	return TRUE;
}

gboolean
session_next(struct session *session, const struct mailbox *sender,
    const GPtrArray *recipients, guint64 size, gboolean eightbitmime,
    const char *answers)
{
	/* Only then is its message ours to set up. */
	if (!await_halt(session) ||
	    !add_message(session, sender, recipients, size))
		return FALSE;
	if (eightbitmime)
		session_use_8bitmime(session);
	if (answers != NULL && !session_tell(session, answers))
		return FALSE;
	/* Without answers session_keep() has still to say of this one. */
	halt_lift(&session->halt, answers != NULL);
	if (answers != NULL)
		await_commands(session);
	return TRUE;
}

/* Forgets what it wrote behind the first @keep bytes. */
static void
wipe_output(struct session *session, gsize keep)
{
	GString *output = session->output;

	g_string_truncate(output, keep);
	explicit_bzero(output->str + keep, output->allocated_len - keep);
}

void
session_free(struct session *session)
{
	if (session->thread != NULL) {
		session_keep(session, FALSE);
		dismiss(session);
		g_thread_join(session->thread);
	}
	autofd_clear(&session->outer);
	autofd_clear(&session->inner);
	if (session->lib != NULL)
		smtp_destroy_session(session->lib);
	if (session->auth != NULL)
		auth_destroy_context(session->auth);
	wipe_output(session, 0);
	g_string_free(session->output, TRUE);
	g_string_free(session->input, TRUE);
	halt_clear(&session->halt);
	g_free(session);
}

/*
 * Reads more of what it writes, or tells it more of what it has not been told
 * yet.  FALSE: it has ended.
 */
static gboolean
read_output(struct session *session, gint64 deadline)
{
	struct pollfd pollfd = awaited(session);
	char buffer[COMMAND_MAX];
	gssize n;

	deadline = MIN(deadline, deadline_in(ANSWER_SPAN));
	/* What it has said already is there. */
	n = recv(session->outer, buffer, sizeof(buffer), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		if (deadline_poll(&pollfd, 1, deadline) <= 0)
			return FALSE;
		if (!(pollfd.revents & ~POLLOUT))
			return flush_input(session);
		n = recv(session->outer, buffer, sizeof(buffer), 0);
	}
	if (n > 0)
		g_string_append_len(session->output, buffer, n);
	if (session->auth != NULL)
		explicit_bzero(buffer, sizeof(buffer));
	return n > 0;
}

gboolean
session_has_command(const struct session *session)
{
	return strchr(session->output->str, '\n') != NULL;
}

char *
session_command(struct session *session, gint64 deadline)
{
	char *command;
	gsize length;

	while (!session_has_command(session))
		if (session->output->len > COMMAND_MAX ||
		    !read_output(session, deadline))
			return NULL;
	length = strcspn(session->output->str, "\n") + 1;
	command = g_strndup(session->output->str, length);
	g_string_erase(session->output, 0, length);
	wipe_output(session, session->output->len);
	return command;
}

gboolean
session_tell(struct session *session, const char *text)
{
	g_string_append(session->input, text);
	return flush_input(session);
}

gboolean
session_tell_code(struct session *session, int code)
{
	char line[16];

	g_snprintf(line, sizeof(line), "%d -\r\n", code);
	return session_tell(session, line);
}

/*
 * Set earlier, it would make libESMTP refuse hosts without 8BITMIME.
 * libESMTP reads it when it has EHLO's reply; until then it sleeps in
 * poll(2).
 */
void
session_use_8bitmime(struct session *session)
{
	smtp_8bitmime_set_body(session->message, E8bitmime_8BITMIME);
}

gboolean
session_swallow_content(struct session *session, gint64 deadline)
{
	static const char dot[] = "\r\n.\r\n";

	while (!g_str_has_suffix(session->output->str, dot))
		if (session->output->len > SWALLOW_MAX ||
		    !read_output(session, deadline))
			return FALSE;
	g_string_truncate(session->output, 0);
	return TRUE;
}
