/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "smtp/dialogue.h"
#include "unit/table.h"
#include "unit/talk.h"

#define MAIL "MAIL FROM:<a@example.com>\r\n"
#define S    ((gint64)G_USEC_PER_SEC)

/* No wait of these tests is as long. */
static const struct timeouts timeouts = {
    .connect = 601 * S,
    .greeting = 602 * S,
    .command = 603 * S,
    .data = 604 * S,
    .final = 605 * S,
};

/* A dialogue about two recipients. */
struct trial {
	struct talk *talk;
	struct outcome outcomes[2];
	struct transaction *transaction;
	struct dialogue dialogue;
};

static void
trial_make(struct trial *trial)
{
	*trial = (struct trial){.talk = talk_new()};
	trial->transaction = transaction_new(trial->outcomes, 2);
	trial->dialogue = (struct dialogue){
	    .peer = trial->talk->peer,
	    .transaction = trial->transaction,
	    .timeouts = &timeouts,
	    .deadline = FOREVER,
	};
}

static void
trial_clear(struct trial *trial)
{
	for (guint i = 0; i < 2; i++)
		outcome_clear(&trial->outcomes[i]);
	transaction_free(trial->transaction);
	talk_free(trial->talk);
}

/* Of both; NULL: there is none. */
static void
assert_outcome(const struct trial *trial, enum outcome_kind kind,
    enum trouble trouble, const char *text)
{
	g_assert_cmpint(transaction_is_open(trial->transaction), ==,
	    text == NULL);
	for (guint i = 0; i < 2 && text != NULL; i++) {
		g_assert_cmpstr(trial->outcomes[i].text, ==, text);
		g_assert_cmpint(trial->outcomes[i].kind, ==, kind);
		g_assert_cmpint(trial->outcomes[i].trouble, ==, trouble);
	}
}

/* How long each stage may take, and whether it is before the content. */
static const struct span {
	enum stage stage;
	gint64 span;
	gboolean before;
} spans[] = {
    {STAGE_GREETING, 602 * S, TRUE},
    {STAGE_EHLO, 603 * S, TRUE},
    {STAGE_STARTTLS, 603 * S, TRUE},
    {STAGE_AUTH, 603 * S, TRUE},
    {STAGE_MAIL, 603 * S, TRUE},
    {STAGE_RCPT, 603 * S, TRUE},
    {STAGE_DATA, 604 * S, TRUE},
    {STAGE_CONTENT, 604 * S, FALSE},
    {STAGE_FINAL, 605 * S, FALSE},
};

static void
test_spans(void)
{
	gint64 now = g_get_monotonic_time();
	struct dialogue dialogue = {.timeouts = &timeouts};

	for (gsize i = 0; i < G_N_ELEMENTS(spans); i++) {
		enum stage stage = spans[i].stage;
		gint64 deadline;

		g_assert_cmpint(dialogue_span(&dialogue, stage), ==,
		    spans[i].span);
		/* All else is far away. */
		dialogue.deadline = now + 10000 * S;
		dialogue.content_by = 0;
		deadline = dialogue_deadline(&dialogue, stage);
		g_assert_cmpint(deadline, >=, now + spans[i].span);
		g_assert_cmpint(deadline, <=, deadline_in(spans[i].span));
		/* The whole is near. */
		dialogue.deadline = now + 100 * S;
		g_assert_cmpint(dialogue_deadline(&dialogue, stage), ==,
		    dialogue.deadline);
		/* The content is to begin by then. */
		dialogue.content_by = now + 50 * S;
		g_assert_cmpint(dialogue_deadline(&dialogue, stage), ==,
		    spans[i].before ? dialogue.content_by : dialogue.deadline);
		dialogue.content_by = now + 150 * S;
		g_assert_cmpint(dialogue_deadline(&dialogue, stage), ==,
		    dialogue.deadline);
	}
}

/* One command: what the host has said before, and what it says to it. */
static const struct asking {
	const char *says;
	const char *before;
	const char *answer; /* NULL: it closes at once */
	enum stage stage;
	int code;         /* 0: nothing that counts */
	const char *text; /* of the outcomes, NULL: there is none */
	guint refusals;
} askings[] = {
    {"a reply", "", "250 Ok\r\n", STAGE_MAIL, 250, NULL, 0},
    {"of several lines", "", "250-a\r\n250 b\r\n", STAGE_MAIL, 250, NULL, 0},
    {"a refusal for now", "", "450 no\r\n", STAGE_MAIL, 450, NULL, 0},
    {"a refusal for good counts", "", "550 no\r\n", STAGE_MAIL, 550, NULL, 1},
    {"the first of them", "", "500 no\r\n", STAGE_MAIL, 500, NULL, 1},
    {"the last that is none", "", "499 no\r\n", STAGE_MAIL, 499, NULL, 0},
    {"it closes", "", "", STAGE_MAIL, 0, "MAIL FROM: connection lost", 0},
    {"rubbish", "", "hello\r\n", STAGE_MAIL, 0,
	"MAIL FROM: not an SMTP reply: hello", 0},
    {"an empty line before is nothing", "\r\n", "250 Ok\r\n", STAGE_MAIL, 250,
	NULL, 0},
    {"421 before", "421 4.3.2 bye\r\n", "250 Ok\r\n", STAGE_MAIL, 0,
	"421 4.3.2 bye (in reply to MAIL FROM)", 0},
    {"250 before", "250 2.0.0 what?\r\n", "250 Ok\r\n", STAGE_MAIL, 0,
	"MAIL FROM: reply out of turn: 250 2.0.0 what?", 0},
    {"550 before is no refusal", "550 5.0.0 no\r\n", "250 Ok\r\n", STAGE_MAIL,
	0, "MAIL FROM: reply out of turn: 550 5.0.0 no", 0},
    {"rubbish before", "hello\r\n", "250 Ok\r\n", STAGE_MAIL, 0,
	"MAIL FROM: not an SMTP reply: hello", 0},
    {"half a reply before", "250-a\r\n", NULL, STAGE_MAIL, 0,
	"MAIL FROM: reply out of turn", 0},
};

static void
test_asking(gconstpointer data)
{
	const struct asking *row = data;
	struct trial trial;
	g_autoptr(Reply) reply = NULL;

	trial_make(&trial);
	talk_say(trial.talk, row->before);
	if (row->answer != NULL)
		talk_start_host(trial.talk, strlen(MAIL), row->answer, 100);
	else
		trial.dialogue.deadline = deadline_in(1000);
	reply = dialogue_ask(&trial.dialogue, row->stage, MAIL);
	g_assert_cmpint(reply != NULL ? reply->code : 0, ==, row->code);
	g_assert_cmpint(trial.dialogue.over, ==, row->code == 0);
	g_assert_cmpuint(trial.dialogue.refusals, ==, row->refusals);
	assert_outcome(&trial, OUTCOME_NEXT,
	    g_str_has_prefix(row->before, "421 4.3.2") || row->text != NULL
		? TROUBLE_HOST
		: TROUBLE_NONE,
	    row->text);
	g_assert_cmpuint(talk_end(trial.talk)->len, ==,
	    row->before[0] > ' ' ? 0 : strlen(MAIL));
	trial_clear(&trial);
}

/* What a reply means for the session, beside its outcome. */
static const struct settling {
	const char *says;
	enum stage stage;
	const char *reply;
	gboolean over;
	enum outcome_kind kind;
} settlings[] = {
    {"accepted", STAGE_FINAL, "250 Ok\r\n", FALSE, OUTCOME_DELIVERED},
    {"refused", STAGE_MAIL, "550 no\r\n", FALSE, OUTCOME_BOUNCE},
    {"to wait", STAGE_MAIL, "450 no\r\n", FALSE, OUTCOME_NEXT},
    {"the first that is to wait", STAGE_MAIL, "400 no\r\n", FALSE,
	OUTCOME_NEXT},
    {"the host closes", STAGE_MAIL, "421 no\r\n", TRUE, OUTCOME_NEXT},
    {"it closes behind the dot", STAGE_FINAL, "421 no\r\n", TRUE, OUTCOME_NEXT},
    {"a reply to something else", STAGE_MAIL, "354 go\r\n", TRUE, OUTCOME_NEXT},
    {"the same at DATA", STAGE_DATA, "250 Ok\r\n", TRUE, OUTCOME_NEXT},
    {"the last of these", STAGE_MAIL, "399 Ok\r\n", TRUE, OUTCOME_NEXT},
};

static void
test_settling(gconstpointer data)
{
	const struct settling *row = data;
	struct trial trial;
	g_autoptr(ReplyReader) reader = reply_reader_new();
	g_autoptr(Reply) reply = NULL;

	trial_make(&trial);
	reply_reader_add(reader, row->reply, strlen(row->reply));
	reply = reply_reader_take(reader, NULL);
	dialogue_settle(&trial.dialogue, row->stage, reply);
	g_assert_cmpint(trial.dialogue.over, ==, row->over);
	g_assert_true(transaction_is_settled(trial.transaction));
	g_assert_cmpint(trial.outcomes[1].kind, ==, row->kind);
	trial_clear(&trial);
}

/* Silence: the words say which time it was. */
static void
test_silence(void)
{
	static const struct timeouts short_ones = {.command = 1, .data = S};
	struct trial trial;

	trial_make(&trial);
	trial.dialogue.timeouts = &short_ones;
	g_assert_null(dialogue_reply(&trial.dialogue, STAGE_MAIL));
	assert_outcome(&trial, OUTCOME_NEXT, TROUBLE_HOST,
	    "MAIL FROM: timed out after 0 s");
	trial_clear(&trial);
	trial_make(&trial);
	trial.dialogue.deadline = deadline_in(1);
	g_assert_null(dialogue_reply(&trial.dialogue, STAGE_MAIL));
	assert_outcome(&trial, OUTCOME_NEXT, TROUBLE_HOST,
	    "MAIL FROM: time-limit reached");
	trial_clear(&trial);
	trial_make(&trial);
	trial.dialogue.content_by = deadline_in(1);
	g_assert_null(dialogue_reply(&trial.dialogue, STAGE_DATA));
	assert_outcome(&trial, OUTCOME_NEXT, TROUBLE_HOST,
	    "DATA: time-limit reached");
	trial_clear(&trial);
}

/* Nobody reads: it is the host's trouble, and not for ever. */
static void
test_deaf(void)
{
	static const struct timeouts short_ones = {.command = 1000};
	g_autofree char *command = g_strnfill(HUGE_SIZE, 'x');
	struct trial trial;

	trial_make(&trial);
	trial.dialogue.timeouts = &short_ones;
	g_assert_false(dialogue_send(&trial.dialogue, STAGE_RCPT, command));
	g_assert_true(trial.dialogue.over);
	assert_outcome(&trial, OUTCOME_NEXT, TROUBLE_HOST,
	    "RCPT TO: timed out after 0 s");
	trial_clear(&trial);
}

static void
test_failures(void)
{
	struct trial trial;

	trial_make(&trial);
	dialogue_fail(&trial.dialogue, STAGE_EHLO, "what");
	g_assert_true(trial.dialogue.over);
	assert_outcome(&trial, OUTCOME_NEXT, TROUBLE_HOST, "EHLO: what");
	trial_clear(&trial);
	trial_make(&trial);
	dialogue_fail_here(&trial.dialogue, STAGE_EHLO, "what");
	g_assert_true(trial.dialogue.over);
	assert_outcome(&trial, OUTCOME_NEXT, TROUBLE_MESSAGE, "what");
	trial_clear(&trial);
	trial_make(&trial);
	dialogue_fail_as(&trial.dialogue, TROUBLE_RECIPIENT, STAGE_AUTH,
	    "4.7.8", "what");
	g_assert_true(trial.dialogue.over);
	assert_outcome(&trial, OUTCOME_NEXT, TROUBLE_RECIPIENT, "what");
	g_assert_cmpstr(trial.outcomes[0].dsn, ==, "4.7.8");
	trial_clear(&trial);
}

/* Once, and not where nobody listens any more. */
static void
test_quit(void)
{
	struct trial trial;

	trial_make(&trial);
	talk_start_reader(trial.talk);
	dialogue_quit(&trial.dialogue);
	g_assert_true(trial.dialogue.over);
	dialogue_quit(&trial.dialogue);
	g_assert_true(trial.dialogue.over);
	g_assert_cmpstr(talk_end(trial.talk)->str, ==, "QUIT\r\n");
	assert_outcome(&trial, OUTCOME_NEXT, TROUBLE_NONE, NULL);
	trial_clear(&trial);
	trial_make(&trial);
	talk_start_reader(trial.talk);
	trial.dialogue.over = TRUE;
	dialogue_quit(&trial.dialogue);
	g_assert_cmpstr(talk_end(trial.talk)->str, ==, "");
	trial_clear(&trial);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dialogue/how long a stage may take", test_spans);
	TABLE_ADD("dialogue/asking", askings, test_asking);
	TABLE_ADD("dialogue/settling", settlings, test_settling);
	g_test_add_func("/dialogue/silence", test_silence);
	g_test_add_func("/dialogue/a host that does not read", test_deaf);
	g_test_add_func("/dialogue/what goes wrong otherwise", test_failures);
	g_test_add_func("/dialogue/QUIT", test_quit);
	return g_test_run();
}
