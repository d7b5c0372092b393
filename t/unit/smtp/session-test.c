/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "smtp/session.h"
#include "unit/table.h"
#include "util/deadline.h"

#define FOREVER (deadline_in(G_TIME_SPAN_MINUTE * 10))

/* Replies to EHLO. */
#define PLAIN      "250 -\r\n"
#define SIZE       "250--\r\n250-SIZE\r\n250 -\r\n"
#define PIPELINING "250--\r\n250-PIPELINING\r\n250 -\r\n"
#define EVERYTHING                                                             \
	"250--\r\n250-PIPELINING\r\n250-SIZE\r\n250-8BITMIME\r\n250 -\r\n"

#define EHLO      "EHLO me.example\r\n"
#define HELO      "HELO me.example\r\n"
#define MAIL      "MAIL FROM:<from@a.example>\r\n"
#define MAIL_SIZE "MAIL FROM:<from@a.example> SIZE=1234\r\n"
#define MAIL_ALL  "MAIL FROM:<from@a.example> SIZE=1234 BODY=8BITMIME\r\n"
#define RCPT(n)   "RCPT TO:<to" #n "@b.example>\r\n"
#define DATA      "DATA\r\n"
#define QUIT      "QUIT\r\n"
#define ANSWERS   "250 -\r\n250 -\r\n354 -\r\n250 -\r\n"

#define STEPS_MAX 24

/* What libESMTP is told, and what it does then. */
struct step {
	enum {
		END, /* zero: it has ended */
		TELL,
		TELL_CODE,
		SAYS,      /* a command, and waits for a reply */
		SAYS_MORE, /* a command, and another one is there already */
		CONTENT,   /* what it makes of the content */
		ANSWER,    /* replies to all that is left of the message */
		KEEP,      /* code: whether it is kept */
		USE_8BITMIME,
	} what;
	const char *text;
	int code;
};

#define T(text)                                                                \
	{                                                                      \
		TELL, text, 0                                                  \
	}
#define C(code)                                                                \
	{                                                                      \
		TELL_CODE, NULL, code                                          \
	}
#define S(text)                                                                \
	{                                                                      \
		SAYS, text, 0                                                  \
	}
#define MORE(text)                                                             \
	{                                                                      \
		SAYS_MORE, text, 0                                             \
	}
#define BODY                                                                   \
	{                                                                      \
		CONTENT, NULL, 0                                               \
	}
#define A(text)                                                                \
	{                                                                      \
		ANSWER, text, 0                                                \
	}
#define K(keep)                                                                \
	{                                                                      \
		KEEP, NULL, keep                                               \
	}
#define EIGHT                                                                  \
	{                                                                      \
		USE_8BITMIME, NULL, 0                                          \
	}

static const struct dialogue {
	const char *says;
	guint recipients;
	struct step steps[STEPS_MAX];
} dialogues[] = {
    {"one recipient", 1,
	{C(220), S(EHLO), T(PLAIN), S(MAIL), C(250), S(RCPT(0)), C(250),
	    S(DATA), C(354), BODY, C(250), S(QUIT), C(221)}},
    {"three recipients", 3,
	{C(220), S(EHLO), T(PLAIN), S(MAIL), C(250), S(RCPT(0)), C(250),
	    S(RCPT(1)), C(250), S(RCPT(2)), C(250), S(DATA), C(354), BODY,
	    C(250), S(QUIT), C(221)}},
    {"PIPELINING, one recipient", 1,
	{C(220), S(EHLO), T(PIPELINING), S(MAIL), C(250), MORE(RCPT(0)),
	    S(DATA), C(250), C(354), BODY, C(250), S(QUIT), C(221)}},
    {"PIPELINING, three recipients", 3,
	{C(220), S(EHLO), T(PIPELINING), S(MAIL), C(250), MORE(RCPT(0)),
	    MORE(RCPT(1)), MORE(RCPT(2)), S(DATA), C(250), C(251), C(252),
	    C(354), BODY, C(250), S(QUIT), C(221)}},
    {"SIZE", 1,
	{C(220), S(EHLO), T(SIZE), S(MAIL_SIZE), C(250), S(RCPT(0)), C(250),
	    S(DATA), C(354), BODY, C(250), S(QUIT), C(221)}},
    {"PIPELINING, SIZE and 8BITMIME", 1,
	{C(220), S(EHLO), EIGHT, T(EVERYTHING), S(MAIL_ALL), C(250),
	    MORE(RCPT(0)), S(DATA), C(250), C(354), BODY, C(250), S(QUIT),
	    C(221)}},
    {"8BITMIME that is not used", 1,
	{C(220), S(EHLO), T(EVERYTHING), S(MAIL_SIZE), C(250), MORE(RCPT(0)),
	    S(DATA), C(250), C(354), BODY, C(250), S(QUIT), C(221)}},
    {"answers ahead: MAIL and all behind it are there at once", 1,
	{C(220), S(EHLO), T(PIPELINING), A(ANSWERS), MORE(MAIL), MORE(RCPT(0)),
	    MORE(DATA), BODY, K(FALSE), S(QUIT), C(221)}},
    {"answers ahead, without PIPELINING", 1,
	{C(220), S(EHLO), T(PLAIN), A(ANSWERS), MORE(MAIL), MORE(RCPT(0)),
	    MORE(DATA), BODY, K(FALSE), S(QUIT), C(221)}},
    {"answers from RCPT on", 1,
	{C(220), S(EHLO), T(PIPELINING), S(MAIL), A(ANSWERS), MORE(RCPT(0)),
	    MORE(DATA), BODY, K(FALSE), S(QUIT), C(221)}},
    {"HELO", 1,
	{C(220), S(EHLO), C(502), S(HELO), C(250), S(MAIL), C(250), S(RCPT(0)),
	    C(250), S(DATA), C(354), BODY, C(250), S(QUIT), C(221)}},

    {"a greeting with 4xx", 1, {C(450), S(QUIT), C(221)}},
    {"a greeting with 5xx", 1, {C(554), S(QUIT), C(221)}},
    {"EHLO refused for now", 1, {C(220), S(EHLO), C(451), S(QUIT), C(221)}},
    {"EHLO refused", 1, {C(220), S(EHLO), C(550), S(QUIT), C(221)}},
    {"HELO refused", 1,
	{C(220), S(EHLO), C(500), S(HELO), C(550), S(QUIT), C(221)}},
    {"MAIL refused for now", 3,
	{C(220), S(EHLO), T(PLAIN), S(MAIL), C(451), S(QUIT), C(221)}},
    {"MAIL refused", 3,
	{C(220), S(EHLO), T(PIPELINING), S(MAIL), C(550), S(QUIT), C(221)}},
    {"RCPT refused, and so is DATA", 1,
	{C(220), S(EHLO), T(PLAIN), S(MAIL), C(250), S(RCPT(0)), C(550),
	    S(DATA), C(554), S(QUIT), C(221)}},
    {"one RCPT of three refused for now, and so is DATA", 3,
	{C(220), S(EHLO), T(PIPELINING), S(MAIL), C(250), MORE(RCPT(0)),
	    MORE(RCPT(1)), MORE(RCPT(2)), S(DATA), C(250), C(450), C(250),
	    C(554), S(QUIT), C(221)}},
    {"DATA refused for now", 1,
	{C(220), S(EHLO), T(PLAIN), S(MAIL), C(250), S(RCPT(0)), C(250),
	    S(DATA), C(451), S(QUIT), C(221)}},
    {"the content refused for now", 1,
	{C(220), S(EHLO), T(PLAIN), S(MAIL), C(250), S(RCPT(0)), C(250),
	    S(DATA), C(354), BODY, C(451), S(QUIT), C(221)}},
    {"the content refused", 1,
	{C(220), S(EHLO), T(PLAIN), S(MAIL), C(250), S(RCPT(0)), C(250),
	    S(DATA), C(354), BODY, C(554), S(QUIT), C(221)}},
    {"421 in the middle", 1,
	{C(220), S(EHLO), T(PLAIN), S(MAIL), C(421), S(QUIT), C(221)}},

    {"nonsense for a greeting: no QUIT", 1, {T("hello\r\n")}},
    {"nonsense for a reply to EHLO", 1,
	{C(220), S(EHLO), T("hello\r\n"), S(QUIT), C(221)}},
    {"lines of different codes", 1,
	{C(220), S(EHLO), T("250-a\r\n550 b\r\n"), S(QUIT), C(221)}},
    {"a reply to QUIT that is none", 1, {C(554), S(QUIT), T("hello\r\n")}},
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

static struct session *
start(const char *from, const GPtrArray *recipients)
{
	g_autoptr(Mailbox) sender = mailbox_parse_sender(from, NULL);
	g_autoptr(GError) error = NULL;
	struct session *session;

	g_assert_nonnull(sender);
	session =
	    session_start("me.example", sender, recipients, 1234, NULL, &error);
	g_assert_no_error(error);
	g_assert_nonnull(session);
	return session;
}

static void
assert_says(struct session *session, const char *text, gboolean more)
{
	g_autofree char *command = session_command(session, FOREVER);

	g_assert_cmpstr(command, ==, text);
	g_assert_cmpint(session_has_command(session), ==, more);
}

/* Once it has ended it takes nothing, either. */
static void
assert_ended(struct session *session)
{
	g_assert_null(session_command(session, FOREVER));
	g_assert_false(session_tell_code(session, 250));
}

static void
take_step(struct session *session, const struct step *step)
{
	switch (step->what) {
	case TELL:
		g_assert_true(session_tell(session, step->text));
		break;
	case TELL_CODE:
		g_assert_true(session_tell_code(session, step->code));
		break;
	case SAYS:
	case SAYS_MORE:
		assert_says(session, step->text, step->what == SAYS_MORE);
		break;
	case CONTENT:
		g_assert_true(session_swallow_content(session, FOREVER));
		break;
	case ANSWER:
		g_assert_true(session_answer(session, step->text));
		break;
	case KEEP:
		session_keep(session, step->code);
		break;
	case USE_8BITMIME:
		session_use_8bitmime(session);
		break;
	case END:
	default:
		assert_ended(session);
	}
}

static guint
count_steps(const struct dialogue *row)
{
	guint count = 0;

	while (row->steps[count].what != END)
		count++;
	return count;
}

static void
test_dialogue(gconstpointer data)
{
	const struct dialogue *row = data;
	g_autoptr(GPtrArray) recipients = recipients_new(row->recipients);
	g_autoptr(Session) session = start("from@a.example", recipients);
	guint count = count_steps(row);

	for (guint i = 0; i <= count; i++)
		take_step(session, &row->steps[i]);
}

/* A session can be given up at any point. */
static void
test_given_up(gconstpointer data)
{
	const struct dialogue *row = data;
	g_autoptr(GPtrArray) recipients = recipients_new(row->recipients);

	for (guint stop = 0; stop < count_steps(row); stop++) {
		g_autoptr(Session) session =
		    start("from@a.example", recipients);

		for (guint i = 0; i < stop; i++)
			take_step(session, &row->steps[i]);
	}
}

static void
test_null_sender(void)
{
	static const struct step steps[] = {C(220), S(EHLO), T(PLAIN),
	    S("MAIL FROM:<>\r\n"), C(250), S(RCPT(0)), C(250), S(DATA), C(354),
	    BODY, C(250), S(QUIT), C(221), {END, NULL, 0}};
	g_autoptr(GPtrArray) recipients = recipients_new(1);
	g_autoptr(Session) session = start("", recipients);

	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++)
		take_step(session, &steps[i]);
}

/* The longest path there is must not be cut on its way. */
static void
test_long_path(void)
{
	static const char domain[] = "@b.example";
	g_autofree char *local = g_strnfill(MAILBOX_MAX - strlen(domain), 'x');
	g_autofree char *path = g_strconcat(local, domain, NULL);
	g_autofree char *mail =
	    g_strdup_printf("MAIL FROM:<%s> SIZE=1234 BODY=8BITMIME\r\n", path);
	g_autofree char *rcpt = g_strdup_printf("RCPT TO:<%s>\r\n", path);
	g_autoptr(GPtrArray) recipients = recipients_new(0);
	g_autoptr(Session) session = NULL;
	const struct step steps[] = {C(220), S(EHLO), EIGHT, T(EVERYTHING),
	    S(mail), C(250), S(rcpt)};

	g_ptr_array_add(recipients, mailbox_parse(path, NULL));
	session = start(path, recipients);
	for (gsize i = 0; i + 1 < G_N_ELEMENTS(steps); i++)
		take_step(session, &steps[i]);
	{
		g_autofree char *command = session_command(session, FOREVER);

		g_assert_cmpstr(command, ==, rcpt);
	}
}

/* More commands than any buffer of libESMTP's or ours holds. */
static void
test_many(void)
{
	static const struct step begin[] = {C(220), S(EHLO), T(PIPELINING),
	    S(MAIL), C(250)};
	static const struct step end[] = {C(354), BODY, C(250), S(QUIT), C(221),
	    {END, NULL, 0}};
	const guint count = 1000;
	g_autoptr(GPtrArray) recipients = recipients_new(count);
	g_autoptr(Session) session = start("from@a.example", recipients);

	for (gsize i = 0; i < G_N_ELEMENTS(begin); i++)
		take_step(session, &begin[i]);
	for (guint i = 0; i <= count; i++) {
		g_autofree char *command = session_command(session, FOREVER);
		g_autofree char *rcpt =
		    g_strdup_printf("RCPT TO:<to%u@b.example>\r\n", i);

		g_assert_cmpstr(command, ==, i < count ? rcpt : DATA);
		if (i < count)
			g_assert_true(session_tell_code(session, 250));
	}
	for (gsize i = 0; i < G_N_ELEMENTS(end); i++)
		take_step(session, &end[i]);
}

/* Nobody reads what it writes: neither side may wait for the other. */
static void
test_many_given_up(void)
{
	static const struct step begin[] = {C(220), S(EHLO), T(PIPELINING),
	    S(MAIL), C(250)};
	g_autoptr(GPtrArray) recipients = recipients_new(60000);
	g_autoptr(Session) session = start("from@a.example", recipients);

	for (gsize i = 0; i < G_N_ELEMENTS(begin); i++)
		take_step(session, &begin[i]);
}

/* A deadline ends the wait, not the session. */
static void
test_deadline(void)
{
	g_autoptr(GPtrArray) recipients = recipients_new(1);
	g_autoptr(Session) session = start("from@a.example", recipients);

	g_assert_null(session_command(session, deadline_in(1000)));
	g_assert_false(session_swallow_content(session, deadline_in(1000)));
	g_assert_false(session_has_command(session));
	g_assert_true(session_tell_code(session, 220));
	assert_says(session, EHLO, FALSE);
	g_assert_null(session_command(session, deadline_in(0)));
}

/* One does not disturb the other. */
static void
test_two(void)
{
	g_autoptr(GPtrArray) recipients = recipients_new(1);
	g_autoptr(Session) first = start("from@a.example", recipients);
	g_autoptr(Session) second = start("from@a.example", recipients);

	g_assert_true(session_tell_code(second, 554));
	g_assert_true(session_tell_code(first, 220));
	assert_says(second, QUIT, FALSE);
	assert_says(first, EHLO, FALSE);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* As the agent does: libESMTP writes to ends that are closed. */
	signal(SIGPIPE, SIG_IGN);
	/* Two sides that wait for each other. */
	alarm(300);
	TABLE_ADD("dialogue", dialogues, test_dialogue);
	TABLE_ADD("given up", dialogues, test_given_up);
	g_test_add_func("/the null sender", test_null_sender);
	g_test_add_func("/the longest path", test_long_path);
	g_test_add_func("/a thousand recipients", test_many);
	g_test_add_func("/sixty thousand, given up", test_many_given_up);
	g_test_add_func("/a deadline", test_deadline);
	g_test_add_func("/two sessions at once", test_two);
	return g_test_run();
}
