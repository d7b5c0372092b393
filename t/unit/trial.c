/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <signal.h>
#include <string.h>

#include <glib.h>

#include "smtp/offer.h"
#include "unit/trial.h"
#include "util/deadline.h"

#define FOREVER (deadline_in(G_TIME_SPAN_MINUTE * 10))
#define S       ((gint64)G_USEC_PER_SEC)

#define TEXT  "Subject: t\n\nb\n"
#define EIGHT "Subject: t\n\n\303\274\n"

static const struct timeouts timeouts = {
    .connect = 600 * S,
    .greeting = 600 * S,
    .command = 600 * S,
    .data = 600 * S,
    .final = 600 * S,
};

/* ---- what is told of it ---- */

static void
note(GString *events, const char *what, const char *more)
{
	g_string_append_printf(events, "%s%s%s", events->len > 0 ? ";" : "",
	    what, more);
}

static void
on_greeted(void *data)
{
	note(data, "greeted", "");
}

static void
on_secured(const char *description, void *data)
{
	note(data, "secured ", description);
}

static void
on_unsecured(const char *why, void *data)
{
	note(data, "unsecured ", why);
}

static void
on_authenticated(const char *mechanism, void *data)
{
	note(data, "authenticated ", mechanism);
}

static void
on_said(gboolean ours, const char *line, void *data)
{
	note(data, ours ? "> " : "< ", line);
}

static void
on_accepted(void *data)
{
	note(data, "accepted", "");
}

static gboolean
on_begin(void *data)
{
	note(data, "begun", "");
	return TRUE;
}

static gboolean
on_begin_too_early(void *data)
{
	note(data, "no room", "");
	return FALSE;
}

static void
on_unnoticed(void *data)
{
	note(data, "unnoticed", "");
}

static const struct wire_events events = {
    .greeted = on_greeted,
    .secured = on_secured,
    .unsecured = on_unsecured,
    .authenticated = on_authenticated,
    .said = on_said,
    .begin = on_begin,
    .unnoticed = on_unnoticed,
    .accepted = on_accepted,
};

static const struct wire_events events_without_room = {
    .greeted = on_greeted,
    .begin = on_begin_too_early,
};

/* ---- a session ---- */

static const struct credentials with_password = {
    .profile = (char *)(guintptr) "p",
    .username = (char *)(guintptr) "me",
    .password = (char *)(guintptr)SECRET,
};

static const struct credentials with_token = {
    .profile = (char *)(guintptr) "p",
    .username = (char *)(guintptr) "me",
    .token = (char *)(guintptr) "token123",
};

static struct message *
make_message(guint with)
{
	const char *text = with & WITH_EIGHT ? EIGHT : TEXT;
	struct message *message = message_new("/nonexistent");

	g_assert_true(message_add(message, text, strlen(text), NULL));
	g_assert_true(message_end(message, NULL));
	return message;
}

static GPtrArray *
make_recipients(guint count)
{
	GPtrArray *recipients =
	    g_ptr_array_new_with_free_func((GDestroyNotify)mailbox_free);

	for (guint i = 0; i < count; i++) {
		g_autofree char *path = g_strdup_printf("to%u@b.example", i);

		g_ptr_array_add(recipients, mailbox_parse(path, NULL));
	}
	return recipients;
}

/* "D- 250 Ok": its kind, whose trouble, and the words. */
static void
note_outcome(GString *text, const struct outcome *outcome)
{
	static const char kinds[] = {
	    [OUTCOME_NEXT] = 'N',
	    [OUTCOME_UNFIT] = 'X',
	    [OUTCOME_UNSURE] = 'U',
	    [OUTCOME_BOUNCE] = 'B',
	    [OUTCOME_HELD] = 'H',
	    [OUTCOME_DELIVERED] = 'D',
	};
	static const char troubles[] = {
	    [TROUBLE_NONE] = '-',
	    [TROUBLE_HOST] = 'h',
	    [TROUBLE_SUSPECT] = 's',
	    [TROUBLE_MESSAGE] = 'm',
	    [TROUBLE_RECIPIENT] = 'r',
	};

	g_string_append_printf(text, "%s%c%c %s", text->len > 0 ? ";" : "",
	    kinds[outcome->kind], troubles[outcome->trouble],
	    outcome->text != NULL ? outcome->text : "none");
}

void
trial_send(struct trial *trial, guint with, guint count)
{
	g_autoptr(Message) message = make_message(with);
	g_autoptr(GPtrArray) recipients = make_recipients(count);
	g_autofree struct outcome *outcomes = g_new0(struct outcome, count);
	g_autoptr(Mailbox) sender = mailbox_parse_sender("me@a.example", NULL);
	const struct tls_policy policy = {
	    .level = with & WITH_TLS  ? TLS_SECURE
		: with & WITH_TLS_MAY ? TLS_MAY
				      : TLS_NONE,
	    .expected = "b.example",
	};
	const struct wire_job job = {
	    .helo_name = "me.example",
	    .sender = sender,
	    .recipients = recipients,
	    .partial = (with & WITH_PARTIAL) != 0,
	    .keep = (with & WITH_KEEP) != 0,
	    .message = message,
	    .timeouts = &timeouts,
	    .deadline = FOREVER,
	    .tls = &policy,
	    .credentials = with & WITH_PASSWORD ? &with_password
		: with & WITH_TOKEN             ? &with_token
						: NULL,
	    .auth_in_clear = (with & WITH_IN_CLEAR) != 0,
	    .auth_without = with & WITHOUT_CRAM_MD5 ? MECHANISM_CRAM_MD5 : 0,
	    .ehlo_ignore = with & WITHOUT_SIZE ? "SIZE" : NULL,
	    .transcript = (with & WITH_TRANSCRIPT) != 0,
	    .events = with & WITHOUT_ROOM ? &events_without_room : &events,
	    .data = trial->told,
	};

	g_free(trial->again.why);
	wire_send(trial->wire, &job, outcomes, &trial->again);
	for (guint i = 0; i < count; i++) {
		note_outcome(trial->outcomes, &outcomes[i]);
		outcome_clear(&outcomes[i]);
	}
}

void
trial_make(struct trial *trial, const char *script)
{
	*trial = (struct trial){
	    .told = g_string_new(NULL),
	    .outcomes = g_string_new(NULL),
	};
	trial->wire = wire_new(scripted_pair(&trial->host, script));
}

void
trial_end(struct trial *trial)
{
	g_clear_pointer(&trial->wire, wire_free);
	scripted_end(&trial->host);
}

void
trial_clear(struct trial *trial)
{
	trial_end(trial);
	scripted_clear(&trial->host);
	g_free(trial->again.why);
	g_string_free(trial->told, TRUE);
	g_string_free(trial->outcomes, TRUE);
}

void
trial_test_row(gconstpointer data)
{
	const struct trial_row *row = data;
	struct trial trial;

	trial_make(&trial, row->script);
	trial_send(&trial, row->with, row->recipients);
	g_assert_false(wire_is_idle(trial.wire));
	trial_end(&trial);
	g_assert_cmpstr(trial.outcomes->str, ==, row->outcomes);
	g_assert_cmpstr(trial.host.heard->str, ==, row->heard);
	g_assert_cmpstr(trial.told->str, ==, row->told);
	g_assert_null(trial.again.why);
	if (strstr(row->heard, DOT) != NULL)
		g_assert_cmpstr(trial.host.content->str, ==,
		    row->with & WITH_EIGHT ? "Subject: t\r\n\r\n\303\274\r\n"
					   : "Subject: t\r\n\r\nb\r\n");
	trial_clear(&trial);
}

void
trial_init(int *argc, char ***argv)
{
	g_test_init(argc, argv, NULL);
	/* As the agent does (guard.c); OpenSSL just writes. */
	signal(SIGPIPE, SIG_IGN);
}
