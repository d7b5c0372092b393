/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many processes at once on one state file.
 */
#include <config.h>

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glib.h>

#include "hosts/hoststate.h"
#include "hosts/hosttable.h"
#include "unit/statefolder.h"
#include "unit/trip.h"
#include "unit/watched.h"

#define CROWD 200
/* With sanitizers, beside other tests, more would outlast LOCK_SPAN. */
#ifdef __SANITIZE_ADDRESS__
#define DELIVERIES 2
#else
#define DELIVERIES 20
#endif
#define HOSTS 4

/*
 * Every second one is killed, after as many deliveries to one of the hosts as
 * were started before it: the rest must be able to make that many.
 */
#define VICTIMS           50
#define VICTIM_DELIVERIES 20
G_STATIC_ASSERT(VICTIMS / 2 * VICTIM_DELIVERIES / HOSTS > VICTIMS);

/* More than may be connected, and how often each tries. */
#define GUESTS 40
#define VISITS 25
#define SEATS  3

/* Shared by all of the crowd. */
struct score {
	guint chosen[HOSTS];
	guint without_memory;
	gint inside;
	gint most_inside;
	guint probes;
};

struct member {
	const struct statefolder *place;
	struct score *tally;
	int deliveries;
	int start; /* the end of a pipe that closes when all are there */
	int started;
};

static struct score *
new_score(void)
{
	struct score *tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	g_assert_true(tally != MAP_FAILED);
	return tally;
}

static void
await_start(const struct member *member)
{
	char byte;

	close(member->started);
	g_assert_cmpint(read(member->start, &byte, 1), ==, 0);
}

static void
note_memory(struct hoststate *state, struct score *tally)
{
	g_autofree char *warning = hoststate_take_warning(state);

	if (warning != NULL)
		__atomic_add_fetch(&tally->without_memory, 1, __ATOMIC_SEQ_CST);
}

static int
deliver_often(const void *data)
{
	const struct member *member = data;

	await_start(member);
	for (int i = 0; i < member->deliveries; i++) {
		g_autoptr(Hoststate) state = trip_new(member->place);
		struct contender contenders[TRIP_HOSTS];
		guint count = trip_route("A B C D", contenders);
		char host = trip_choose(state, contenders, count);

		if (host == '-')
			return 1;
		__atomic_add_fetch(&member->tally->chosen[host - 'A'], 1,
		    __ATOMIC_SEQ_CST);
		trip_leave(state, '+');
		note_memory(state, member->tally);
	}
	return 0;
}

/* The guests count themselves while they are at the host. */
static int
visit_often(const void *data)
{
	const struct member *member = data;
	struct score *tally = member->tally;

	await_start(member);
	for (int i = 0; i < VISITS; i++) {
		g_autoptr(Hoststate) state = trip_new(member->place);
		struct contender contenders[TRIP_HOSTS];
		guint count = trip_route("A=3", contenders);
		gint inside;

		if (trip_choose(state, contenders, count) == '-')
			continue;
		inside =
		    __atomic_add_fetch(&tally->inside, 1, __ATOMIC_SEQ_CST);
		if (inside >
		    __atomic_load_n(&tally->most_inside, __ATOMIC_SEQ_CST))
			__atomic_store_n(&tally->most_inside, inside,
			    __ATOMIC_SEQ_CST);
		g_thread_yield();
		__atomic_sub_fetch(&tally->inside, 1, __ATOMIC_SEQ_CST);
		trip_leave(state, '+');
		note_memory(state, tally);
	}
	return 0;
}

static int
probe_once(const void *data)
{
	const struct member *member = data;
	g_autoptr(Hoststate) state = trip_new(member->place);
	struct contender contenders[TRIP_HOSTS];
	guint count = trip_route("A", contenders);

	await_start(member);
	if (trip_choose(state, contenders, count) == 'A') {
		__atomic_add_fetch(&member->tally->probes, 1, __ATOMIC_SEQ_CST);
		trip_leave(state, '-');
	}
	note_memory(state, member->tally);
	return 0;
}

static void
run_crowd(const struct statefolder *place, struct score *tally,
    int (*work)(const void *data), guint size)
{
	g_autofree pid_t *pids = g_new0(pid_t, size);
	int ends[2];
	struct member member = {place, tally, DELIVERIES, -1, -1};

	g_assert_no_errno(pipe(ends));
	member.start = ends[0];
	member.started = ends[1];
	for (guint i = 0; i < size; i++)
		pids[i] = statefolder_fork(work, &member);
	close(ends[0]);
	close(ends[1]);
	for (guint i = 0; i < size; i++)
		g_assert_cmpint(statefolder_wait(pids[i]), ==, 0);
}

static void
assert_deliveries(const struct statefolder *place, guint64 each)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) rows =
	    hosttable_read(place->folder, &trip_limits, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(rows->len, ==, HOSTS);
	for (guint i = 0; i < rows->len; i++) {
		const struct hosttable_row *row = g_ptr_array_index(rows, i);

		g_assert_cmpuint(row->record.deliveries, ==, each);
		g_assert_cmpuint(row->record.connections, ==, each);
		g_assert_cmpuint(row->record.total.count, ==, each);
	}
}

static void
test_turns(void)
{
	const guint each = CROWD * DELIVERIES / HOSTS;
	struct score *tally = new_score();
	g_auto(Statefolder) place = {NULL, NULL};

	if (watched_by_valgrind())
		return;
	statefolder_make(&place);
	run_crowd(&place, tally, deliver_often, CROWD);
	g_assert_cmpuint(tally->without_memory, ==, 0);
	for (guint i = 0; i < HOSTS; i++)
		g_assert_cmpuint(tally->chosen[i], ==, each);
	assert_deliveries(&place, each);
	munmap(tally, sizeof(*tally));
}

static void
test_slots(void)
{
	struct score *tally = new_score();
	g_auto(Statefolder) place = {NULL, NULL};

	if (watched_by_valgrind())
		return;
	statefolder_make(&place);
	run_crowd(&place, tally, visit_often, GUESTS);
	g_assert_cmpuint(tally->without_memory, ==, 0);
	g_assert_cmpint(tally->most_inside, >, 0);
	g_assert_cmpint(tally->most_inside, <=, SEATS);
	g_assert_cmpuint(trip_connected(&place), ==, 0);
	munmap(tally, sizeof(*tally));
}

static void
test_prober(void)
{
	struct score *tally = new_score();
	g_auto(Statefolder) place = {NULL, NULL};
	g_autofree char *hosts = NULL;

	if (watched_by_valgrind())
		return;
	statefolder_make(&place);
	hosts = trip_deliver(&place, "A", "-");
	trip_make_due(&place, 'A');
	run_crowd(&place, tally, probe_once, CROWD);
	g_assert_cmpuint(tally->without_memory, ==, 0);
	g_assert_cmpuint(tally->probes, ==, 1);
	munmap(tally, sizeof(*tally));
}

/* Whoever is killed wherever: the rest go on, with memory. */
static void
test_killed(void)
{
	struct score *tally = new_score();
	g_auto(Statefolder) place = {NULL, NULL};
	struct member member = {&place, tally, VICTIM_DELIVERIES, -1, -1};
	pid_t pids[VICTIMS];
	int ends[2];

	if (watched_by_valgrind())
		return;
	statefolder_make(&place);
	g_assert_no_errno(pipe(ends));
	member.start = ends[0];
	member.started = ends[1];
	for (gsize i = 0; i < G_N_ELEMENTS(pids); i++)
		pids[i] = statefolder_fork(deliver_often, &member);
	close(ends[0]);
	close(ends[1]);
	for (gsize i = 0; i < G_N_ELEMENTS(pids); i += 2) {
		pid_t pid = pids[i];

		while (__atomic_load_n(&tally->chosen[i % HOSTS],
			   __ATOMIC_SEQ_CST) < i)
			g_thread_yield();
		g_assert_no_errno(kill(pid, SIGKILL));
	}
	for (gsize i = 0; i < G_N_ELEMENTS(pids); i++) {
		int status = statefolder_wait(pids[i]);

		if (i % 2 == 1 || status != 128 + SIGKILL)
			g_assert_cmpint(status, ==, 0);
	}
	g_assert_cmpuint(tally->without_memory, ==, 0);
	munmap(tally, sizeof(*tally));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/hoststate/crowd/each host has its share", test_turns);
	g_test_add_func("/hoststate/crowd/max-connections holds", test_slots);
	g_test_add_func("/hoststate/crowd/one prober", test_prober);
	g_test_add_func("/hoststate/crowd/some are killed", test_killed);
	return g_test_run();
}
