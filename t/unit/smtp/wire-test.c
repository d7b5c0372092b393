/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "unit/table.h"
#include "unit/trial.h"

static const struct trial_row rows[] = {
    {"a message", 0, 1, HI OK, EHLO ALL, SENT, TOLD},
    {"to two", 0, 2, HI "250 o|250 o|250 o|354 o|250 2.0.0 Ok|221 o",
	EHLO MAIL RCPT RCPT DATA DOT QUIT, SENT ";" SENT, TOLD},
    {"one of whom is refused", 0, 2, HI "250 o|250 o|" NO "|221 o",
	EHLO MAIL RCPT RCPT QUIT, HELD ";" NO_R, TOLD},
    {"the first one", 0, 2, HI "250 o|" NO "|250 o|221 o",
	EHLO MAIL RCPT RCPT QUIT, NO_R ";" HELD, TOLD},
    {"the other one has it nonetheless", WITH_PARTIAL, 2,
	HI "250 o|250 o|" NO "|354 o|250 2.0.0 Ok|221 o",
	EHLO MAIL RCPT RCPT DATA DOT QUIT, SENT ";" NO_R, TOLD},
    {"both are refused", WITH_PARTIAL, 2, HI "250 o|" NO "|" NO "|221 o",
	EHLO MAIL RCPT RCPT QUIT, NO_R ";" NO_R, TOLD},
    {"all in a row", 0, 2, PIPED "250 o|250 o|250 o|354 o|250 2.0.0 Ok|221 o",
	EHLO MAIL RCPT RCPT DATA DOT QUIT, SENT ";" SENT, TOLD},
    {"in a row, one is refused", 0, 2, PIPED "250 o|250 o|" NO "|221 o",
	EHLO MAIL RCPT RCPT QUIT, HELD ";" NO_R, TOLD},
    {"in one volley", WITH_PARTIAL, 2,
	PIPED "250 o|250 o|250 o|354 o|250 2.0.0 Ok|221 o",
	EHLO MAIL RCPT RCPT DATA DOT QUIT, SENT ";" SENT, TOLD},
    {"in one volley, one is refused", WITH_PARTIAL, 2,
	PIPED "250 o|" NO "|250 o|354 o|250 2.0.0 Ok|221 o",
	EHLO MAIL RCPT RCPT DATA DOT QUIT, NO_R ";" SENT, TOLD},
    {"in one volley, all are", WITH_PARTIAL, 1,
	PIPED "250 o|" NO "|503 o|221 o", EHLO MAIL RCPT DATA QUIT, NO_R, TOLD},
    {"in one volley, MAIL is", WITH_PARTIAL, 1,
	PIPED "451 4.7.1 o|503 o|503 o|221 o", EHLO MAIL RCPT DATA QUIT,
	"Nm 451 4.7.1 o (in reply to MAIL FROM)", "greeted;begun"},

    {"the greeting is a refusal", 0, 1, "554 5.7.1 no|221 o", "QUIT",
	"Nh 554 5.7.1 no (in greeting)", ""},
    {"the host knows HELO only", 0, 1, "220 b|502 o|250 o|" OK,
	EHLO ";HELO" ALL, SENT, TOLD},
    {"nor that", 0, 1, "220 b|502 o|550 o|221 o", EHLO ";HELO;QUIT",
	"Nh 550 o (in reply to HELO)", "greeted"},
    {"EHLO is refused", 0, 1, "220 b|550 o|221 o", EHLO QUIT,
	"Nh 550 o (in reply to EHLO)", "greeted"},
    {"the host closes at EHLO", 0, 1, "220 b|421 4.3.2 o|221 o", EHLO,
	"Nh 421 4.3.2 o (in reply to EHLO)", "greeted"},
    {"MAIL is refused", 0, 1, HI NO "|221 o", EHLO MAIL QUIT,
	"Bm " NO " (in reply to MAIL FROM)", "greeted;begun"},
    {"the host closes at MAIL", 0, 1, HI "421 o|221 o", EHLO MAIL,
	"Ns 421 o (in reply to MAIL FROM)", "greeted;begun"},
    {"it is lost at RCPT", 0, 1, HI "250 o|!", EHLO MAIL RCPT,
	"Nh RCPT TO: connection lost", TOLD},
    {"it closes at RCPT", 0, 2, HI "250 o|250 o|421 4.3.2 o|221 o",
	EHLO MAIL RCPT RCPT,
	"Nh 421 4.3.2 o (in reply to RCPT TO);"
	"Nh 421 4.3.2 o (in reply to RCPT TO)",
	TOLD},
    {"a reply to something else at RCPT", 0, 1, HI "250 o|354 o|221 o",
	EHLO MAIL RCPT, "Nh RCPT TO: unexpected reply: 354 o", TOLD},
    {"the last code of these", 0, 1, HI "250 o|399 o|221 o", EHLO MAIL RCPT,
	"Nh RCPT TO: unexpected reply: 399 o", TOLD},
    {"the first that is a refusal", 0, 1, HI "250 o|400 o|221 o",
	EHLO MAIL RCPT QUIT, "Nr 400 o (in reply to RCPT TO)", TOLD},
    {"DATA is refused", 0, 1, HI "250 o|250 o|451 4.3.0 o|221 o",
	EHLO MAIL RCPT DATA QUIT, "Nm 451 4.3.0 o (in reply to DATA)", TOLD},
    {"the content is", 0, 1, HI "250 o|250 o|354 o|554 5.6.0 o|221 o", EHLO ALL,
	"Bm 554 5.6.0 o (in reply to end of DATA)", TOLD},
    {"it is lost behind the dot", 0, 1, HI "250 o|250 o|354 o|!",
	EHLO MAIL RCPT DATA DOT, "Uh end of DATA: connection lost", TOLD},
    {"a second reply to EHLO", 0, 1, "220 b|250 b\n250 b|" OK, EHLO,
	"Nh MAIL FROM: reply out of turn: 250 b", "greeted;begun"},
    {"a second reply to MAIL", 0, 1, HI "250 o\n250 p|250 o|221 o", EHLO MAIL,
	"Nh RCPT TO: reply out of turn: 250 p", TOLD},

    {"a message as large as can be", 0, 1, "220 b|250-b\n250 SIZE " SIZE "|" OK,
	EHLO MAIL " SIZE=" SIZE RCPT DATA DOT QUIT, SENT, TOLD},
    {"a larger one", 0, 1, "220 b|250-b\n250 SIZE 16|221 o", EHLO QUIT,
	"Bm message size 17 exceeds the host's limit of 16 (SIZE)", "greeted"},
    {"a limit that is not believed", WITHOUT_SIZE, 1,
	"220 b|250-b\n250 SIZE 16|" OK, EHLO ALL, SENT, TOLD},
    {"no limit", 0, 1, "220 b|250-b\n250 SIZE|" OK,
	EHLO MAIL " SIZE=" SIZE RCPT DATA DOT QUIT, SENT, TOLD},
    {"eight bits", WITH_EIGHT, 1, "220 b|250-b\n250 8BITMIME|" OK,
	EHLO MAIL " BODY=8BITMIME" RCPT DATA DOT QUIT, SENT, TOLD},
    {"eight bits, where nobody asks", WITH_EIGHT, 1, HI OK, EHLO ALL, SENT,
	TOLD},
    {"seven bits", 0, 1, "220 b|250-b\n250 8BITMIME|" OK, EHLO ALL, SENT, TOLD},

    {"two refusals, in step", WITH_PARTIAL, 2, HI "250 o|" NO "|" NO "|221 o|-",
	EHLO MAIL RCPT RCPT QUIT, NO_R ";" NO_R, TOLD},
    {"two refusals, and one more", WITH_PARTIAL, 2,
	HI "250 o|" NO "|" NO "|550 o", EHLO MAIL RCPT RCPT QUIT,
	"Nh RCPT TO: replies out of step;Nh RCPT TO: replies out of step",
	TOLD},
    {"two refusals, and rubbish", WITH_PARTIAL, 2,
	HI "250 o|" NO "|" NO "|hello", EHLO MAIL RCPT RCPT QUIT,
	"Nh RCPT TO: replies out of step;Nh RCPT TO: replies out of step",
	TOLD},
    {"two refusals, and it closes", WITH_PARTIAL, 2,
	HI "250 o|" NO "|" NO "|421 o", EHLO MAIL RCPT RCPT QUIT, NO_R ";" NO_R,
	TOLD},
    {"two refusals, and it is gone", WITH_PARTIAL, 2,
	HI "250 o|" NO "|" NO "|!", EHLO MAIL RCPT RCPT QUIT, NO_R ";" NO_R,
	TOLD},
    {"one refusal is no echo, whatever comes", 0, 1, HI "250 o|" NO "|550 o",
	EHLO MAIL RCPT QUIT, NO_R, TOLD},
    {"DATA may be refused by an echo", WITH_PARTIAL, 2,
	HI "250 o|250 o|" NO "|554 5.5.0 o|550 o",
	EHLO MAIL RCPT RCPT DATA QUIT,
	"Nh DATA: replies out of step;Nh DATA: replies out of step", TOLD},
    {"the content cannot", WITH_PARTIAL, 2,
	HI "250 o|250 o|" NO "|354 o|554 5.6.0 o|550 o",
	EHLO MAIL RCPT RCPT DATA DOT QUIT,
	"Bm 554 5.6.0 o (in reply to end of DATA);" NO_R, TOLD},
};

/* More than go ahead of their replies at once. */
static void
test_many(void)
{
	g_autoptr(GString) script = g_string_new(PIPED "250 o|");

	for (guint i = 0; i < 250; i++)
		g_string_append(script, i == 123 ? NO "|" : "250 o|");
	g_string_append(script, "354 o|250 2.0.0 Ok|221 o");
	for (guint partial = 0; partial < 2; partial++) {
		struct trial trial;
		g_auto(GStrv) outcomes = NULL;

		trial_make(&trial, script->str);
		trial_send(&trial, partial ? WITH_PARTIAL : 0, 250);
		trial_end(&trial);
		outcomes = g_strsplit(trial.outcomes->str, ";", 0);
		g_assert_cmpuint(g_strv_length(outcomes), ==, 250);
		for (guint i = 0; i < 250; i++)
			g_assert_cmpstr(outcomes[i], ==,
			    i == 123      ? NO_R
				: partial ? SENT
					  : HELD);
		g_assert_true(g_str_has_suffix(trial.host.heard->str,
		    partial ? DATA DOT QUIT : RCPT QUIT));
		trial_clear(&trial);
	}
}

/* All lines, if somebody wants them, and none of the content or secrets. */
static void
test_transcript(void)
{
	struct trial trial;

	trial_make(&trial, HI OK);
	trial_send(&trial, WITH_TRANSCRIPT, 1);
	trial_end(&trial);
	g_assert_true(g_str_has_prefix(trial.told->str,
	    "< 220 b;greeted;> EHLO me.example;< 250 b;begun;"));
	g_assert_nonnull(strstr(trial.told->str, ";> MAIL FROM:<me@a.exam"));
	g_assert_nonnull(strstr(trial.told->str, ";> DATA;< 354 o;"));
	g_assert_null(strstr(trial.told->str, "Subject"));
	g_assert_nonnull(strstr(trial.told->str, "> QUIT"));
	trial_clear(&trial);
}

/* Nothing was sent. */
static void
test_unused(void)
{
	struct trial trial;

	trial_make(&trial, "220 b");
	trial_end(&trial);
	g_assert_cmpstr(trial.host.heard->str, ==, "");
	trial_clear(&trial);
}

int
main(int argc, char **argv)
{
	trial_init(&argc, &argv);
	TABLE_ADD("wire/session", rows, trial_test_row);
	g_test_add_func("/wire/hundreds of recipients", test_many);
	g_test_add_func("/wire/a transcript", test_transcript);
	g_test_add_func("/wire/nothing", test_unused);
	return g_test_run();
}
