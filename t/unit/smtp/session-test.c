/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "smtp/session.h"
#include "unit/table.h"

/* Replies to EHLO. */
#define PLAIN      "250 -\r\n"
#define PIPELINING "250--\r\n250-PIPELINING\r\n250 -\r\n"

#define EHLO    "EHLO me.example\r\n"
#define HELO    "HELO me.example\r\n"
#define MAIL    "MAIL FROM:<>\r\n"
#define RCPT(n) "RCPT TO:<to" #n "@b.example>\r\n"
#define DATA    "DATA\r\n"
#define QUIT    "QUIT\r\n"

#define OK    "250 -\r\n"
#define NO    "554 -\r\n"
#define BYE   "221 -\r\n"
#define HELLO "220 -\r\n"

#define STEPS_MAX 12

/* What libESMTP says, and is told. */
struct step {
	const char *says; /* NULL: nothing more */
	const char *told;
	enum {
		LAST,
		MORE /* another command is there already */
	} how;
};

static const struct dialogue {
	const char *says;
	guint recipients;
	const char *first; /* what it is told before it runs */
	struct step steps[STEPS_MAX];
} dialogues[] = {
    {"one recipient", 1, HELLO,
	{{EHLO, PLAIN, LAST}, {MAIL, OK, LAST}, {RCPT(0), OK, LAST},
	    {DATA, NO, LAST}, {QUIT, BYE, LAST}}},
    {"three recipients", 3, HELLO,
	{{EHLO, PLAIN, LAST}, {MAIL, OK, LAST}, {RCPT(0), OK, LAST},
	    {RCPT(1), OK, LAST}, {RCPT(2), OK, LAST}, {DATA, NO, LAST},
	    {QUIT, BYE, LAST}}},
    {"PIPELINING, one recipient", 1, HELLO,
	{{EHLO, PIPELINING, LAST}, {MAIL, OK, LAST}, {RCPT(0), OK, MORE},
	    {DATA, NO, LAST}, {QUIT, BYE, LAST}}},
    {"PIPELINING, three recipients", 3, HELLO,
	{{EHLO, PIPELINING, LAST}, {MAIL, OK, LAST}, {RCPT(0), "", MORE},
	    {RCPT(1), "", MORE}, {RCPT(2), OK "251 -\r\n252 -\r\n", MORE},
	    {DATA, NO, LAST}, {QUIT, BYE, LAST}}},
    {"EHLO's reply ahead", 1, HELLO PIPELINING,
	{{EHLO, "", LAST}, {MAIL, OK, LAST}, {RCPT(0), OK, MORE},
	    {DATA, NO, LAST}, {QUIT, BYE, LAST}}},
    {"HELO", 1, HELLO,
	{{EHLO, "502 -\r\n", LAST}, {HELO, OK, LAST}, {MAIL, OK, LAST},
	    {RCPT(0), OK, LAST}, {DATA, NO, LAST}, {QUIT, BYE, LAST}}},

    {"a greeting with 4xx", 1, "450 -\r\n", {{QUIT, BYE, LAST}}},
    {"a greeting with 5xx", 1, "554 -\r\n", {{QUIT, BYE, LAST}}},
    {"EHLO refused for now", 1, HELLO,
	{{EHLO, "451 -\r\n", LAST}, {QUIT, BYE, LAST}}},
    {"EHLO refused", 1, HELLO, {{EHLO, "550 -\r\n", LAST}, {QUIT, BYE, LAST}}},
    {"HELO refused", 1, HELLO,
	{{EHLO, "500 -\r\n", LAST}, {HELO, "550 -\r\n", LAST},
	    {QUIT, BYE, LAST}}},
    {"MAIL refused for now", 3, HELLO,
	{{EHLO, PLAIN, LAST}, {MAIL, "451 -\r\n", LAST}, {QUIT, BYE, LAST}}},
    {"MAIL refused", 3, HELLO,
	{{EHLO, PIPELINING, LAST}, {MAIL, "550 -\r\n", LAST},
	    {QUIT, BYE, LAST}}},
    {"RCPT refused, and so is DATA", 1, HELLO,
	{{EHLO, PLAIN, LAST}, {MAIL, OK, LAST}, {RCPT(0), "550 -\r\n", LAST},
	    {DATA, NO, LAST}, {QUIT, BYE, LAST}}},
    {"one RCPT of three refused for now, and so is DATA", 3, HELLO,
	{{EHLO, PIPELINING, LAST}, {MAIL, OK, LAST}, {RCPT(0), OK, MORE},
	    {RCPT(1), "450 -\r\n", MORE}, {RCPT(2), OK, MORE}, {DATA, NO, LAST},
	    {QUIT, BYE, LAST}}},
    {"DATA refused for now", 1, HELLO,
	{{EHLO, PLAIN, LAST}, {MAIL, OK, LAST}, {RCPT(0), OK, LAST},
	    {DATA, "451 -\r\n", LAST}, {QUIT, BYE, LAST}}},
    {"421 in the middle", 1, HELLO,
	{{EHLO, PLAIN, LAST}, {MAIL, "421 -\r\n", LAST}, {QUIT, BYE, LAST}}},

    {"nonsense for a greeting: no QUIT", 1, "hello\r\n", {{NULL, NULL, LAST}}},
    {"nonsense for a reply to EHLO", 1, HELLO,
	{{EHLO, "hello\r\n", LAST}, {QUIT, BYE, LAST}}},
    {"lines of different codes", 1, HELLO,
	{{EHLO, "250-a\r\n550 b\r\n", LAST}, {QUIT, BYE, LAST}}},
    {"a reply to QUIT that is none", 1, "554 -\r\n",
	{{QUIT, "hello\r\n", LAST}}},
    {"no reply, with three commands under way", 2, HELLO,
	{{EHLO, PIPELINING, LAST}, {MAIL, OK, LAST}, {RCPT(0), "", MORE},
	    {RCPT(1), "", MORE}, {DATA, "", LAST}}},
};

static GPtrArray *
recipients_new(guint count)
{
	GPtrArray *recipients =
	    g_ptr_array_new_with_free_func((GDestroyNotify)mailbox_free);

	for (guint i = 0; i < count; i++) {
		g_autofree char *text = g_strdup_printf("to%u@b.example", i);
		struct mailbox *mailbox = mailbox_parse(text, NULL);

		g_assert_nonnull(mailbox);
		g_ptr_array_add(recipients, mailbox);
	}
	return recipients;
}

static void
begin(struct session *session, const GPtrArray *recipients)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(
	    session_begin(session, "me.example", recipients, NULL, &error));
	g_assert_no_error(error);
}

/* A dialogue, and how far it has come. */
struct run {
	struct session *session;
	const struct step *steps;
	guint count;    /* of what was said */
	guint stop;     /* after so many it is given up */
	gboolean ended; /* QUIT was said */
};

static void
hear(const char *line, void *data)
{
	struct run *run = data;
	const struct step *step = &run->steps[run->count++];

	run->ended = g_str_equal(line, QUIT);
	if (run->count > run->stop) {
		if (run->count == run->stop + 1)
			session_refuse(run->session);
		return;
	}
	g_assert_cmpstr(line, ==, step->says);
	g_assert_cmpint(session_has_more(run->session), ==, step->how == MORE);
	session_tell(run->session, step->told);
}

static guint
count_steps(const struct step *steps)
{
	guint count = 0;

	while (steps[count].says != NULL)
		count++;
	return count;
}

static void
hold(struct session *session, const struct dialogue *row)
{
	g_autoptr(GPtrArray) recipients = recipients_new(row->recipients);
	struct run run = {session, row->steps, 0, G_MAXUINT - 1, FALSE};

	begin(session, recipients);
	session_tell(session, row->first);
	session_run(session, hear, &run);
	g_assert_cmpuint(run.count, ==, count_steps(row->steps));
}

static void
test_dialogue(gconstpointer data)
{
	g_autoptr(Session) session = session_new();

	hold(session, data);
}

/* It can be given up at any point, and goes on to QUIT. */
static void
test_given_up(gconstpointer data)
{
	const struct dialogue *row = data;
	g_autoptr(GPtrArray) recipients = recipients_new(row->recipients);
	g_autoptr(Session) session = session_new();

	for (guint stop = 0; stop < count_steps(row->steps); stop++) {
		struct run run = {session, row->steps, 0, stop, FALSE};

		begin(session, recipients);
		session_tell(session, row->first);
		session_run(session, hear, &run);
		g_assert_true(run.ended);
	}
}

/* What one leaves, read or not, does not reach the next one. */
static void
test_all(void)
{
	g_autoptr(Session) session = session_new();
	g_autoptr(GPtrArray) recipients = recipients_new(1);

	for (gsize i = 0; i < G_N_ELEMENTS(dialogues); i++) {
		begin(session, recipients);
		session_tell(session, "250 left over\r\n");
		hold(session, &dialogues[i]);
	}
}

/* One that takes or refuses any number of recipients. */
struct crowd {
	struct session *session;
	guint recipients;
	guint stop; /* so many were enough */
	gboolean ended;
};

static void
hear_crowd(const char *line, void *data)
{
	struct crowd *crowd = data;
	gboolean begun = crowd->recipients > 0;

	crowd->ended = g_str_equal(line, QUIT);
	if (crowd->recipients >= crowd->stop)
		return;
	if (!g_str_has_prefix(line, "RCPT ")) {
		session_tell(crowd->session,
		    g_str_equal(line, EHLO)       ? PIPELINING
			: g_str_equal(line, DATA) ? NO
						  : OK);
		return;
	}
	if (++crowd->recipients < crowd->stop)
		session_tell(crowd->session, OK);
	else if (begun)
		session_refuse(crowd->session);
}

static void
run_crowd(guint count, struct crowd *crowd)
{
	g_autoptr(GPtrArray) recipients = recipients_new(count);
	g_autoptr(Session) session = session_new();

	crowd->session = session;
	begin(session, recipients);
	session_tell(session, HELLO);
	session_run(session, hear_crowd, crowd);
	g_assert_true(crowd->ended);
}

/* More commands than any buffer of libESMTP's or ours holds. */
static void
test_many(void)
{
	struct crowd crowd = {.stop = G_MAXUINT};

	run_crowd(10000, &crowd);
	g_assert_cmpuint(crowd.recipients, ==, 10000);
}

static void
test_many_given_up(void)
{
	struct crowd crowd = {.stop = 5000};

	run_crowd(60000, &crowd);
	g_assert_cmpuint(crowd.recipients, ==, 5000);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("dialogue", dialogues, test_dialogue);
	TABLE_ADD("given up", dialogues, test_given_up);
	g_test_add_func("/one after the other", test_all);
	g_test_add_func("/ten thousand recipients", test_many);
	g_test_add_func("/sixty thousand, given up", test_many_given_up);
	return g_test_run();
}
