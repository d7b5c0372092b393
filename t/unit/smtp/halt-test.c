/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <unistd.h>

#include "smtp/halt.h"
#include "util/deadline.h"

#define FOREVER (deadline_in(G_TIME_SPAN_MINUTE * 10))

/* What has no lock of its own but the halt; ThreadSanitizer looks. */
struct journey {
	struct halt halt;
	guint messages; /* that the driver has to send */
	guint sent;
	GThread *driver;
};

static gpointer
drive(gpointer data)
{
	struct journey *journey = data;

	while (journey->sent < journey->messages) {
		journey->sent++;
		halt_make(&journey->halt);
	}
	halt_end(&journey->halt);
	return NULL;
}

static void
depart(struct journey *journey, guint messages)
{
	journey->messages = messages;
	journey->driver = g_thread_new("driver", drive, journey);
}

static void
arrive(struct journey *journey, guint sent)
{
	g_thread_join(journey->driver);
	g_assert_cmpuint(journey->sent, ==, sent);
	halt_clear(&journey->halt);
}

static void
test_not_wanted(void)
{
	struct journey journey = {.sent = 0};

	halt_init(&journey.halt);
	depart(&journey, 3);
	g_assert_false(halt_await(&journey.halt, FOREVER));
	arrive(&journey, 3);
}

/* It stands still behind each message, and may be given another one there. */
static void
test_each(void)
{
	struct journey journey = {.sent = 0};

	halt_init(&journey.halt);
	halt_want(&journey.halt);
	depart(&journey, 1);
	for (guint i = 1; i < 1000; i++) {
		g_assert_true(halt_await(&journey.halt, FOREVER));
		g_assert_cmpuint(journey.sent, ==, i);
		journey.messages++;
		halt_lift(&journey.halt, TRUE);
	}
	g_assert_true(halt_await(&journey.halt, FOREVER));
	halt_lift(&journey.halt, FALSE);
	g_assert_false(halt_await(&journey.halt, FOREVER));
	arrive(&journey, 1000);
}

/* To wait for it does not end it. */
static void
test_stands(void)
{
	struct journey journey = {.sent = 0};

	halt_init(&journey.halt);
	halt_want(&journey.halt);
	depart(&journey, 2);
	for (guint i = 0; i < 3; i++) {
		g_assert_true(halt_await(&journey.halt, FOREVER));
		g_assert_cmpuint(journey.sent, ==, 1);
		halt_want(&journey.halt);
	}
	halt_lift(&journey.halt, FALSE);
	arrive(&journey, 2);
}

/* What was wanted before the driver came there need not be then. */
static void
test_not_wanted_any_more(void)
{
	struct journey journey = {.sent = 0};

	halt_init(&journey.halt);
	halt_want(&journey.halt);
	halt_lift(&journey.halt, FALSE);
	depart(&journey, 2);
	arrive(&journey, 2);
}

/* Under way, not there yet. */
static void
test_deadline(void)
{
	struct journey journey = {.sent = 0};

	halt_init(&journey.halt);
	halt_want(&journey.halt);
	g_assert_false(halt_await(&journey.halt, deadline_in(1000)));
	depart(&journey, 1);
	g_assert_true(halt_await(&journey.halt, FOREVER));
	halt_lift(&journey.halt, FALSE);
	arrive(&journey, 1);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* Two sides that wait for each other. */
	alarm(300);
	g_test_add_func("/not wanted", test_not_wanted);
	g_test_add_func("/behind each message", test_each);
	g_test_add_func("/stands until told", test_stands);
	g_test_add_func("/not wanted any more", test_not_wanted_any_more);
	g_test_add_func("/a deadline", test_deadline);
	return g_test_run();
}
