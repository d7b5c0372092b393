/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One message after another over one connection.
 */
#include <config.h>

#include <glib.h>

#include "unit/trial.h"

static void
test_keep(void)
{
	static const char script[] =
	    "220 b|250-b\n250 8BITMIME|250 o|250 o|354 o|250 2.0.0 one|"
	    "250 o|" NO "|354 o|250 2.0.0 two|"
	    "250 o|250 o|354 o|250 2.0.0 three|221 o";
	struct trial trial;

	trial_make(&trial, script);
	g_assert_cmpuint(wire_sent(trial.wire), ==, 0);
	g_assert_false(wire_is_idle(trial.wire));
	trial_send(&trial, WITH_KEEP, 1);
	g_assert_true(wire_is_idle(trial.wire));
	g_assert_cmpuint(wire_sent(trial.wire), ==, 1);
	trial_send(&trial, WITH_KEEP | WITH_PARTIAL | WITH_EIGHT, 1);
	g_assert_false(wire_is_idle(trial.wire));
	g_assert_cmpuint(wire_sent(trial.wire), ==, 2);
	trial_end(&trial);
	g_assert_cmpstr(trial.outcomes->str, ==, "D- 250 2.0.0 one;" NO_R);
	g_assert_cmpstr(trial.host.heard->str, ==,
	    EHLO MAIL RCPT DATA DOT MAIL " BODY=8BITMIME" RCPT QUIT);
	trial_clear(&trial);

	/* QUIT comes from who leaves it idle. */
	trial_make(&trial,
	    HI "250 o|250 o|354 o|250 o|250 o|250 o|354 o|250 o|221 o");
	trial_send(&trial, WITH_KEEP, 1);
	trial_send(&trial, WITH_KEEP, 1);
	g_assert_true(wire_is_idle(trial.wire));
	trial_end(&trial);
	g_assert_cmpstr(trial.outcomes->str, ==, "D- 250 o;D- 250 o");
	g_assert_cmpstr(trial.host.heard->str, ==,
	    EHLO MAIL RCPT DATA DOT MAIL RCPT DATA DOT QUIT);
	g_assert_cmpstr(trial.told->str, ==, TOLD ";begun;accepted");
	trial_clear(&trial);
}

/* The same, where the whole envelope goes out as one. */
static void
test_keep_volleys(void)
{
	struct trial trial;

	trial_make(&trial,
	    PIPED "250 o|250 o|354 o|250 2.0.0 one|"
		  "250 o|" NO "|503 o|221 o");
	trial_send(&trial, WITH_KEEP | WITH_PARTIAL, 1);
	g_assert_true(wire_is_idle(trial.wire));
	trial_send(&trial, WITH_KEEP | WITH_PARTIAL, 1);
	g_assert_false(wire_is_idle(trial.wire));
	trial_end(&trial);
	g_assert_cmpstr(trial.outcomes->str, ==, "D- 250 2.0.0 one;" NO_R);
	g_assert_cmpstr(trial.host.heard->str, ==,
	    EHLO MAIL RCPT DATA DOT MAIL RCPT DATA QUIT);
	trial_clear(&trial);
}

/* One after the other in different ways: libESMTP is asked for one of them. */
static void
test_ways(void)
{
	struct trial trial;

	trial_make(&trial,
	    PIPED "250 o|250 o|354 o|250 2.0.0 one|"
		  "250 o|250 o|250 o|354 o|250 2.0.0 two|"
		  "250 o|250 o|354 o|250 2.0.0 three|221 o");
	trial_send(&trial, WITH_KEEP, 1);
	trial_send(&trial, WITH_KEEP, 2);
	trial_send(&trial, WITH_KEEP, 1);
	g_assert_true(wire_is_idle(trial.wire));
	trial_end(&trial);
	g_assert_cmpstr(trial.outcomes->str, ==,
	    "D- 250 2.0.0 one;D- 250 2.0.0 two;D- 250 2.0.0 two;"
	    "D- 250 2.0.0 three");
	g_assert_cmpstr(trial.host.heard->str, ==,
	    EHLO MAIL RCPT DATA DOT MAIL RCPT RCPT DATA DOT ALL);
	trial_clear(&trial);
}

/* One that the host may not have: it is not kept, as if it had refused. */
static void
test_terms(void)
{
	struct trial trial;

	trial_make(&trial,
	    "220 b|250-b\n250-PIPELINING\n250 SIZE 17|" OK "|221 o");
	trial_send(&trial, WITH_KEEP, 1);
	trial_send(&trial, WITH_KEEP | WITH_EIGHT, 1);
	g_assert_false(wire_is_idle(trial.wire));
	trial_end(&trial);
	g_assert_cmpstr(trial.outcomes->str, ==,
	    SENT ";Bm message size 18 exceeds the host's limit of 17 (SIZE)");
	g_assert_cmpstr(trial.host.heard->str, ==,
	    EHLO MAIL " SIZE=17" RCPT DATA DOT QUIT);
	trial_clear(&trial);
}

/*
 * The host has no room when MAIL is to be said, which it never sees: at first,
 * and after another message.
 */
static void
test_no_room(const void *data)
{
	g_autofree char *script = g_strconcat(data, OK, NULL);
	struct trial trial;

	trial_make(&trial, script);
	trial_send(&trial, WITH_KEEP | WITHOUT_ROOM, 2);
	trial_end(&trial);
	g_assert_cmpstr(trial.outcomes->str, ==,
	    "Nm at its rate;Nm at its rate");
	g_assert_cmpstr(trial.host.heard->str, ==, EHLO QUIT);
	g_assert_cmpstr(trial.told->str, ==, "greeted;no room");
	trial_clear(&trial);

	trial_make(&trial, script);
	trial_send(&trial, WITH_KEEP, 1);
	trial_send(&trial, WITH_KEEP | WITHOUT_ROOM, 1);
	g_assert_false(wire_is_idle(trial.wire));
	trial_end(&trial);
	g_assert_cmpstr(trial.outcomes->str, ==, SENT ";Nm at its rate");
	g_assert_cmpstr(trial.host.heard->str, ==, EHLO ALL);
	g_assert_cmpstr(trial.told->str, ==, TOLD ";no room");
	trial_clear(&trial);
}

/* It is not kept where the host has said more, or goes. */
static void
test_not_kept(void)
{
	static const char *const scripts[] = {
	    HI "250 o|250 o|354 o|250 o\n250 o|221 o",
	    HI "250 o|250 o|354 o|250 o\n421 o|221 o",
	};
	struct trial trial;

	for (gsize i = 0; i < G_N_ELEMENTS(scripts); i++) {
		trial_make(&trial, scripts[i]);
		trial_send(&trial, WITH_KEEP, 1);
		g_assert_false(wire_is_idle(trial.wire));
		trial_end(&trial);
		g_assert_cmpstr(trial.outcomes->str, ==, "D- 250 o");
		g_assert_cmpstr(trial.host.heard->str, ==, EHLO ALL);
		trial_clear(&trial);
	}
	trial_make(&trial, HI "250 o|250 o|354 o|250 o!");
	trial_send(&trial, WITH_KEEP, 1);
	scripted_end(&trial.host);
	g_assert_false(wire_is_idle(trial.wire));
	trial_clear(&trial);
}

int
main(int argc, char **argv)
{
	trial_init(&argc, &argv);
	g_test_add_func("/wire/several messages", test_keep);
	g_test_add_func("/wire/several volleys", test_keep_volleys);
	g_test_add_func("/wire/in different ways", test_ways);
	g_test_add_func("/wire/terms that are not met", test_terms);
	g_test_add_data_func("/wire/no room", HI, test_no_room);
	g_test_add_data_func("/wire/no room for a volley", PIPED, test_no_room);
	g_test_add_func("/wire/a connection that is not kept", test_not_kept);
	return g_test_run();
}
