/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "hosts/health.h"
#include "unit/table.h"
#include "util/autofd.h"
#include "util/ticket.h"

#define S G_USEC_PER_SEC

/* Some time after the machine was started. */
#define NOW (1000 * S)

static const struct health_limits limits = {5 * S, 300 * S};

/* What a failure does, and for how long at least it is down then. */
static const struct failure {
	const char *says;
	struct health before;
	struct health_limits limits;
	gboolean probed;
	gint64 interval; /* 0: nothing has changed */
} failures[] = {
    {"who is up goes down for retry-min", {0}, {5 * S, 300 * S}, FALSE, 5 * S},
    {"it goes down even if this was called a probe", {0}, {5 * S, 300 * S},
	TRUE, 5 * S},
    {"its prober's failure doubles that", {.due = NOW, .interval = 5 * S},
	{5 * S, 300 * S}, TRUE, 10 * S},
    {"and doubles again, and nobody probes it any more",
	{.due = NOW, .interval = 10 * S, .prober = 7, .lease = NOW + 1},
	{5 * S, 300 * S}, TRUE, 20 * S},
    {"up to retry-max", {.due = NOW, .interval = 160 * S}, {5 * S, 300 * S},
	TRUE, 300 * S},
    {"and no further", {.due = NOW, .interval = 300 * S}, {5 * S, 300 * S},
	TRUE, 300 * S},
    {"a retry-max that was made smaller holds at once",
	{.due = NOW, .interval = 300 * S}, {5 * S, 60 * S}, TRUE, 60 * S},
    {"a retry-min that was made larger too", {.due = NOW, .interval = 5 * S},
	{60 * S, 300 * S}, TRUE, 60 * S},
    {"equal limits leave no choice", {.due = NOW, .interval = 60 * S},
	{60 * S, 60 * S}, TRUE, 60 * S},
    {"the failure of who is not its prober changes nothing",
	{.due = NOW + 3 * S, .interval = 5 * S, .prober = 7, .lease = NOW},
	{5 * S, 300 * S}, FALSE, 0},
    {"not even when it is due", {.due = NOW, .interval = 5 * S},
	{5 * S, 300 * S}, FALSE, 0},
    {"an interval that cannot be true is cut down",
	{.due = NOW, .interval = G_MAXINT64}, {5 * S, 300 * S}, TRUE, 300 * S},
};

static const struct wait {
	const char *says;
	gint64 due;
	gint64 expected;
} waits[] = {
    {"who is up is not waited for", 0, 0},
    {"who is due is not waited for", NOW, 0},
    {"nor who has long been due", NOW - 500 * S, 0},
    {"it is waited for to the microsecond", NOW + 1, 1},
    {"for retry-min", NOW + 5 * S, 5 * S},
    {"for retry-max with all the jitter there can be", NOW + 360 * S, 360 * S},
    {"but not for longer: that clock was another one", NOW + 360 * S + 1, 0},
    {"nor for ever", G_MAXINT64, 0},
};

static void
test_failure(gconstpointer data)
{
	const struct failure *row = data;

	/* The jitter differs. */
	for (int i = 0; i < 200; i++) {
		struct health health = row->before;
		gint64 span =
		    health_fail(&health, &row->limits, NOW, row->probed);

		if (row->interval == 0) {
			g_assert_cmpint(span, ==, 0);
			g_assert_cmpmem(&health, sizeof(health), &row->before,
			    sizeof(row->before));
			continue;
		}
		g_assert_cmpint(health.interval, ==, row->interval);
		g_assert_cmpint(span, >=, row->interval);
		g_assert_cmpint(span, <=, row->interval * 6 / 5);
		g_assert_cmpint(health.due, ==, NOW + span);
		g_assert_cmpuint(health.prober, ==, 0);
		g_assert_cmpint(health.lease, ==, 0);
		g_assert_false(health_is_up(&health));
	}
}

static void
test_wait(gconstpointer data)
{
	const struct wait *row = data;
	const struct health health = {.due = row->due};

	g_assert_cmpint(health_wait(&health, &limits, NOW), ==, row->expected);
}

/* Hosts and processes must not march in step. */
static void
test_jitter(void)
{
	gint64 low = G_MAXINT64;
	gint64 high = 0;

	for (int i = 0; i < 1000; i++) {
		struct health health = {0};
		gint64 span = health_fail(&health, &limits, NOW, FALSE);

		low = MIN(low, span);
		high = MAX(high, span);
	}
	g_assert_cmpint(low, <, 5 * S + S / 50);
	g_assert_cmpint(high, >, 6 * S - S / 50);
}

static void
test_since(void)
{
	gint64 begun = g_get_real_time();
	struct health health = {0};
	gint64 since;

	health_fail(&health, &limits, NOW, FALSE);
	since = health.since;
	g_assert_cmpint(since, >=, begun);
	g_assert_cmpint(since, <=, g_get_real_time());
	health.since = since = 12345;
	health_fail(&health, &limits, NOW, TRUE);
	g_assert_cmpint(health.since, ==, since);
}

static void
test_success(void)
{
	struct health health = {.due = NOW,
	    .interval = 160 * S,
	    .since = 1,
	    .prober = 7,
	    .lease = NOW};
	gint64 span;

	health_succeed(&health);
	g_assert_true(health_is_up(&health));
	g_assert_cmpint(health_wait(&health, &limits, NOW), ==, 0);
	/* And the doubling begins from the start. */
	span = health_fail(&health, &limits, NOW, FALSE);
	g_assert_cmpint(span, <=, 6 * S);
}

/* MAIL was accepted, and then came a 421: it is no better than before. */
static void
test_admit(void)
{
	struct health health = {
	    .due = NOW,
	    .interval = 40 * S,
	    .prober = 7,
	    .lease = NOW + S,
	};

	health_admit(&health);
	g_assert_true(health_is_up(&health));
	g_assert_cmpint(health.prober, ==, 0);
	g_assert_cmpint(health.lease, ==, 0);
	health_fail(&health, &limits, NOW, FALSE);
	g_assert_cmpint(health.interval, ==, 80 * S);
}

/* Somebody probes it, and gets nowhere. */
static void
test_retry_while_probed(void)
{
	struct health health = {.due = 1, .prober = 7, .lease = G_MAXINT64};

	g_assert_true(health_retry(&health));
	g_assert_true(health_is_up(&health));
	g_assert_cmpint(health.prober, ==, 0);
}

static void
test_retry(void)
{
	struct health health = {.due = NOW + 200 * S, .interval = 160 * S};
	struct health up = {0};

	g_assert_false(health_retry(&up));
	g_assert_true(health_is_up(&up));
	g_assert_true(health_retry(&health));
	g_assert_true(health_is_up(&health));
	/* It is so already. */
	g_assert_false(health_retry(&health));
	/* As if it had never failed. */
	health_fail(&health, &limits, NOW, FALSE);
	g_assert_cmpint(health.interval, ==, 5 * S);
}

/* Who set out before it came up has learnt nothing new. */
static void
test_was_up(void)
{
	struct health health = {.due = NOW, .interval = 5 * S};
	gint64 before = health_now() - 1;

	g_assert_false(health_was_up(&health, before));
	g_assert_true(health_retry(&health));
	g_assert_false(health_was_up(&health, before));
	g_assert_true(health_was_up(&health, health_now()));
	/* The machine was started again. */
	health.up = health_now() + 1000 * S;
	g_assert_true(health_was_up(&health, before));
}

static gint64
clock_nanoseconds(void)
{
	struct timespec now;

	g_assert_cmpint(clock_gettime(CLOCK_BOOTTIME, &now), ==, 0);
	return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Microseconds of the clock that goes on through suspend. */
static void
test_clock(void)
{
	for (int i = 0; i < 100; i++) {
		gint64 before = clock_nanoseconds();
		gint64 now = health_now();

		g_assert_cmpint(now, >=, before / 1000);
		g_assert_cmpint(now, <=, clock_nanoseconds() / 1000);
		g_usleep(1000);
	}
}

static void
test_probed(void)
{
	g_autofree char *path = NULL;
	autofd ours = g_file_open_tmp(NULL, &path, NULL);
	autofd theirs = open(path, O_RDWR | O_CLOEXEC);
	guint64 ticket = ticket_take(theirs);
	struct health health = {.due = NOW, .prober = ticket, .lease = NOW + 1};

	g_assert_cmpuint(ticket, !=, 0);
	g_assert_true(health_is_probed(&health, ours, NOW));
	g_assert_false(health_is_probed(&health, ours, NOW + 1));
	autofd_clear(&theirs);
	g_assert_false(health_is_probed(&health, ours, NOW));
	health.prober = 0;
	g_assert_false(health_is_probed(&health, ours, NOW));
	g_unlink(path);
}

/* Of tickets: one each, for as long as the descriptor lives. */
static void
test_tickets(void)
{
	g_autofree char *path = NULL;
	autofd ours = g_file_open_tmp(NULL, &path, NULL);
	autofd theirs = open(path, O_RDWR | O_CLOEXEC);
	autofd copy = dup(theirs);
	autofd readable = open(path, O_RDONLY | O_CLOEXEC);
	guint64 first = ticket_take(theirs);
	guint64 second = ticket_take(theirs);

	g_assert_cmpuint(first, !=, second);
	g_assert_true(ticket_is_alive(ours, first));
	g_assert_true(ticket_is_alive(ours, second));
	/* Who can only read can ask. */
	g_assert_true(ticket_is_alive(readable, first));
	g_assert_false(ticket_is_alive(ours, first + 1));
	autofd_clear(&theirs);
	g_assert_true(ticket_is_alive(ours, first));
	autofd_clear(&copy);
	g_assert_false(ticket_is_alive(ours, first));
	g_unlink(path);
}

static void
test_bad_tickets(void)
{
	g_autofree char *path = NULL;
	autofd fd = g_file_open_tmp(NULL, &path, NULL);
	const guint64 bad[] = {0, 1, 12345, G_MAXINT64, G_MAXUINT64};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_false(ticket_is_alive(fd, bad[i]));
	g_assert_cmpuint(ticket_take(-1), ==, 0);
	g_assert_false(ticket_is_alive(-1, G_GUINT64_CONSTANT(1) << 50));
	g_unlink(path);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_random_set_seed(1);
	TABLE_ADD("health/failure", failures, test_failure);
	TABLE_ADD("health/wait", waits, test_wait);
	g_test_add_func("/health/jitter only adds, up to a fifth", test_jitter);
	g_test_add_func("/health/it is remembered since when", test_since);
	g_test_add_func("/health/success forgets it all", test_success);
	g_test_add_func("/health/admission forgets not the doubling",
	    test_admit);
	g_test_add_func("/health/retry makes it up", test_retry);
	g_test_add_func("/health/who set out before it came up", test_was_up);
	g_test_add_func("/health/even if it is being probed",
	    test_retry_while_probed);
	g_test_add_func("/health/the clock goes on", test_clock);
	g_test_add_func("/health/probed while prober and lease live",
	    test_probed);
	g_test_add_func("/health/tickets live with their descriptor",
	    test_tickets);
	g_test_add_func("/health/numbers that are no tickets",
	    test_bad_tickets);
	return g_test_run();
}
