/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Damaged state files: whatever stands in them, deliveries go on, and soon the
 * file is as good as new.  What was damaged is said when a test fails, and
 * comes again with the same --seed.
 */
#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include <glib.h>

#include "hosts/hoststate.h"
#include "hosts/hosttable.h"
#include "hosts/preview.h"
#include "unit/statefolder.h"
#include "unit/watched.h"
#include "util/guard.h"

#define PAGE  4096
#define HOSTS 40

/* LMDB's free pages come with changes. */
#define DELIVERIES 150

#define MUTANTS 500

/* How often a delivery may meet damage, one part after another. */
#define RUNS 6

#define S G_USEC_PER_SEC

static const struct health_limits limits = {5 * S, 300 * S};

/* What a file of this size has on its pages, and had earlier. */
struct sample {
	struct statefolder place;
	char *bytes;
	gsize length;
	char *before;
	gsize length_before;
};

/* Shared with the child, which may crash. */
struct report {
	guint number;
	char what[200];
};

static struct report *report;

static void
fill(struct contender *contenders, guint count, guint from, char names[][32])
{
	for (guint i = 0; i < count; i++) {
		g_snprintf(names[i], 32, "mx%u.example.com",
		    (from + i) % HOSTS);
		contenders[i] = (struct contender){.name = names[i],
		    .port = 25,
		    .weight = 1 + i,
		    .max_connections = i == 1 ? 3 : G_MAXUINT,
		    .lease = 60 * S};
	}
}

static void
visit_host(struct hoststate *state, guint number)
{
	gboolean fails = number % 3 == 0;
	struct outcome outcome = {
	    .kind = fails ? OUTCOME_NEXT : OUTCOME_DELIVERED,
	    .trouble = fails ? TROUBLE_HOST : TROUBLE_NONE,
	    .stage = fails ? STAGE_CONNECT : STAGE_FINAL,
	    .code = fails ? 0 : 250,
	    .text = (char *)(guintptr) "connect: refused",
	};
	struct endpoint endpoint;
	struct visit visit = {.address = "192.0.2.1",
	    .outcomes = &outcome,
	    .count = 1,
	    .connect = 100,
	    .total = 1000};

	g_assert_true(endpoint_parse("192.0.2.1", 25, &endpoint));
	hoststate_is_bad(state, &endpoint);
	hoststate_note(state, &visit);
}

/* One delivery to three hosts of those there are.  TRUE: it had memory. */
static gboolean
deliver(const struct statefolder *place, guint number)
{
	g_autoptr(Hoststate) state = hoststate_new(place->folder, &limits);
	struct contender contenders[3];
	char names[3][32];
	struct departure departure;
	g_autofree char *warning = NULL;

	fill(contenders, 3, number * 7, names);
	if (hoststate_choose(state, contenders, 3) < 3) {
		visit_host(state, number);
		hoststate_dcid(state);
		hoststate_dcid(state);
	}
	hoststate_leave(state, &departure);
	warning = hoststate_take_warning(state);
	return warning == NULL || strstr(warning, "without memory") == NULL;
}

/* All that only reads; that it can be read is not asked for. */
static void
read_all(const struct statefolder *place)
{
	GPtrArray *rows = hosttable_read(place->folder, &limits, NULL);
	struct contender contenders[HOSTS];
	char names[HOSTS][32];
	guint order[HOSTS];
	guint length;

	fill(contenders, HOSTS, 0, names);
	preview_order(place->folder, &limits, contenders, HOSTS, order, &length,
	    NULL);
	g_clear_pointer(&rows, g_ptr_array_unref);
}

static void
sample_make(struct sample *sample, guint deliveries)
{
	/* That of --seed, for the library too. */
	g_random_set_seed((guint32)g_test_rand_int());
	statefolder_make(&sample->place);
	for (guint i = 0; i < deliveries; i++) {
		g_assert_true(deliver(&sample->place, i));
		if (i == deliveries * 2 / 3)
			sample->before = statefolder_read(&sample->place,
			    &sample->length_before);
	}
	sample->bytes = statefolder_read(&sample->place, &sample->length);
}

static void
sample_clear(struct sample *sample)
{
	g_free(sample->bytes);
	g_free(sample->before);
	statefolder_remove(&sample->place);
}

static gsize
random_below(gsize limit)
{
	return (gsize)g_random_int_range(0, (gint32)limit);
}

static void
scatter(char *bytes, gsize length, gsize most)
{
	for (gsize i = random_below(most) + 1; i > 0; i--)
		bytes[random_below(length)] = (char)g_random_int();
}

static void
flip_bits(char *bytes, gsize length, gsize most)
{
	for (gsize i = random_below(most) + 1; i > 0; i--)
		bytes[random_below(length)] ^= (char)(1 << random_below(8));
}

/* Numbers where numbers may be, small ones and any. */
static void
scatter_numbers(char *bytes, gsize length)
{
	for (gsize i = random_below(10) + 1; i > 0; i--) {
		guint64 number = random_below(64);

		if (g_random_boolean())
			number =
			    ((guint64)g_random_int() << 32) | g_random_int();
		memcpy(bytes + random_below(length / 8) * 8, &number,
		    sizeof(number));
	}
}

enum damage {
	DAMAGE_CUT_OFF,
	DAMAGE_ZEROS,
	DAMAGE_NOISE,
	DAMAGE_BITS,
	DAMAGE_HEAD,
	DAMAGE_META,
	DAMAGE_NUMBERS,
	DAMAGE_OLDER, /* as a power failure leaves it */
	DAMAGE_OTHER,
	DAMAGE_COUNT,
};

static const char *const damages[] = {
    [DAMAGE_CUT_OFF] = "cut off",
    [DAMAGE_ZEROS] = "zeros",
    [DAMAGE_NOISE] = "noise",
    [DAMAGE_BITS] = "bits flipped",
    [DAMAGE_HEAD] = "noise in the page's head",
    [DAMAGE_META] = "noise in the metas",
    [DAMAGE_NUMBERS] = "other numbers, wherever",
    [DAMAGE_OLDER] = "the page as it was before",
    [DAMAGE_OTHER] = "another page of the file",
};

/* Writes a mutant. */
static void
damage(const struct sample *sample, guint number)
{
	g_autofree char *bytes = g_memdup2(sample->bytes, sample->length);
	gsize pages = sample->length / PAGE;
	gsize length = sample->length;
	enum damage kind = (enum damage)random_below(DAMAGE_COUNT);
	gsize number_of_page = random_below(pages);
	char *page = bytes + number_of_page * PAGE;

	switch (kind) {
	case DAMAGE_CUT_OFF:
		length = random_below(length);
		break;
	case DAMAGE_ZEROS:
		memset(page, 0, PAGE);
		break;
	case DAMAGE_NOISE:
		scatter(page, PAGE, PAGE * 2);
		break;
	case DAMAGE_BITS:
		flip_bits(page, PAGE, 20);
		break;
	case DAMAGE_HEAD:
		scatter(page, 64, 20);
		break;
	case DAMAGE_META:
		scatter(bytes + random_below(2) * PAGE, 160, 4);
		break;
	case DAMAGE_NUMBERS:
		scatter_numbers(bytes, length);
		break;
	case DAMAGE_OLDER:
		if ((number_of_page + 1) * PAGE <= sample->length_before)
			memcpy(page, sample->before + number_of_page * PAGE,
			    PAGE);
		break;
	case DAMAGE_OTHER:
		memcpy(page, sample->bytes + random_below(pages) * PAGE, PAGE);
		break;
	case DAMAGE_COUNT:
		g_assert_not_reached();
	}
	report->number = number;
	g_snprintf(report->what, sizeof(report->what),
	    "%s: page %" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT " bytes",
	    damages[kind], number_of_page, length);
	statefolder_write(&sample->place, bytes, length);
}

/*
 * As the agent does: LMDB says on stderr what it finds, and a crash defers.
 * What takes too long is killed, and fails the test.
 */
static void
be_an_agent(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	g_assert_cmpint(dup2(null, STDERR_FILENO), ==, STDERR_FILENO);
	guard_crashes(null);
	signal(SIGALRM, SIG_DFL);
}

static void
fail_with_report(int status)
{
	g_test_message("exit status %d at number %u, %s", status,
	    report->number, report->what);
	g_test_fail();
}

static guint mutant;

static int
deliver_in_child(const void *data)
{
	be_an_agent();
	return deliver(data, mutant) ? EX_OK : EX_UNAVAILABLE;
}

static int
read_in_child(const void *data)
{
	be_an_agent();
	read_all(data);
	return EX_OK;
}

/*
 * LMDB may have spoilt the memory of the process that meets the damage, so
 * that it has to defer; but the next ones go on, and soon with memory.
 */
static gboolean
survives(const struct statefolder *place, guint *deferred)
{
	int reading = statefolder_run(read_in_child, place);
	int status = EX_UNAVAILABLE;

	for (int i = 0; i < RUNS && status != EX_OK; i++) {
		status = statefolder_run(deliver_in_child, place);
		if (status == EX_TEMPFAIL)
			++*deferred;
		else if (status != EX_UNAVAILABLE)
			break;
	}
	if ((reading == EX_OK || reading == EX_TEMPFAIL) && status == EX_OK)
		return TRUE;
	fail_with_report(reading != EX_OK ? reading : status);
	return FALSE;
}

static void
test_mutants(void)
{
	struct sample sample = {0};
	guint deferred = 0;

	/* LMDB's own use of memory would be reported. */
	if (watched_by_anybody())
		return;
	sample_make(&sample, DELIVERIES);
	for (mutant = 0; mutant < MUTANTS; mutant++) {
		damage(&sample, mutant);
		if (!survives(&sample.place, &deferred))
			break;
	}
	g_test_message("%u of %u deferred", deferred, mutant);
	g_assert_cmpuint(deferred, <, MUTANTS / 20);
	sample_clear(&sample);
}

/* Lengths of a small file: each near a page's end, and many others. */
static int
cut_off(const void *data)
{
	const struct sample *sample = data;

	be_an_agent();
	for (gsize length = 0; length <= sample->length; length++) {
		gsize at = (length + 2) % PAGE;

		if (at > 4 && length % 97 != 0)
			continue;
		report->number = (guint)length;
		statefolder_write(&sample->place, sample->bytes, length);
		read_all(&sample->place);
		if (!deliver(&sample->place, 0) || !deliver(&sample->place, 1))
			return 1;
	}
	return 0;
}

static void
test_cut_off(void)
{
	struct sample sample = {0};
	int status;

	if (watched_by_valgrind())
		return;
	sample_make(&sample, 6);
	g_strlcpy(report->what, "a length", sizeof(report->what));
	status = statefolder_run(cut_off, &sample);
	if (status != 0)
		fail_with_report(status);
	sample_clear(&sample);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	g_assert_true(report != MAP_FAILED);
	g_test_add_func("/statefile/damage/anywhere", test_mutants);
	g_test_add_func("/statefile/damage/cut off", test_cut_off);
	return g_test_run();
}
