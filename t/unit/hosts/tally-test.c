/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "hosts/tally.h"
#include "unit/slide.h"

#define SECOND ((gint64)G_USEC_PER_SEC)

#define PROCESSES 12

static const struct rates none = {.set = TRUE};

static struct rates
rates_of(const char *text)
{
	struct rates rates;
	gsize at;

	g_assert_true(rates_parse(text, ',', &rates, &at));
	return rates;
}

static struct tally_rates
wanted(const struct rates *transactions, const struct rates *recipients,
    guint count, gboolean partial)
{
	return (struct tally_rates){
	    .rates = {transactions, recipients},
	    .recipients = count,
	    .partial = partial,
	};
}

/* As another process would have it: by way of the record. */
static struct tally *
pass_on(struct tally *tally)
{
	g_autoptr(Tally) old = tally;
	g_autoptr(GByteArray) record = tally_write(old);
	g_autofree guint8 *copy = g_memdup2(record->data, record->len);

	return tally_read(copy, record->len);
}

/* A delivery of the play below. */
struct process {
	guint64 ticket; /* 0: idle */
	guint recipients;
	gint64 ready; /* when it has come to MAIL, and waits there */
	gboolean begun;
	gint64 mail;   /* when the host sees it; G_MAXINT64: never */
	gint64 answer; /* when the host has answered */
	gint64 end;    /* when the state learns of it, or that it is dead */
	gboolean killed;
};

/* A machine with its clocks; true time goes on whatever they say. */
struct play {
	GRand *rand;
	struct rates rates[TALLY_UNITS];
	struct tally *tally;
	gint64 time;
	gint64 booted;     /* when CLOCK_BOOTTIME was 0 */
	gint64 real_ahead; /* of the true time */
	guint64 tickets;
	struct process processes[PROCESSES];
	GArray *seen[TALLY_UNITS];
};

static struct tally_time
clocks(const struct play *play)
{
	return (struct tally_time){play->time - play->booted,
	    play->time + play->real_ahead};
}

static gint64
chance(const struct play *play, gint64 most)
{
	return (gint64)g_rand_double_range(play->rand, 0, (double)most);
}

/* It has a place: MAIL is to come, or it is killed before that. */
static void
choose(struct play *play, struct process *process)
{
	guint recipients = (guint)g_rand_int_range(play->rand, 1, 4);
	const struct tally_rates rates =
	    wanted(&play->rates[0], &play->rates[1], recipients, FALSE);

	if (tally_wait(play->tally, &rates) != 0)
		return;
	*process = (struct process){
	    .ticket = ++play->tickets,
	    .recipients = recipients,
	    .killed = chance(play, 8) == 0,
	    .mail = G_MAXINT64,
	};
	tally_reserve(play->tally, &rates, process->ticket, recipients);
	process->ready = play->time + chance(play, 20 * SECOND);
	process->end = process->ready + 10 * SECOND;
	if (process->killed)
		process->end = play->time + chance(play, 40 * SECOND);
}

/* It has come to MAIL: as soon as it may, it says so. */
static void
begin(struct play *play, struct process *process)
{
	const struct tally_rates rates = wanted(&play->rates[0],
	    &play->rates[1], process->recipients, FALSE);

	tally_note_opening(play->tally, chance(play, 20 * SECOND));
	if (tally_begin(play->tally, &rates, process->ticket,
		process->recipients) != 0)
		return;
	process->begun = TRUE;
	process->mail = play->time + chance(play, 5 * SECOND);
	process->answer = process->mail + chance(play, 5 * SECOND);
	if (!process->killed)
		process->end = process->answer + chance(play, 30 * SECOND);
	else if (process->end < process->mail)
		process->mail = G_MAXINT64;
}

/* The host sees MAIL, if it is said. */
static void
see(struct play *play, const struct process *process)
{
	if (process->mail == G_MAXINT64)
		return;
	slide_add(play->seen[TALLY_TRANSACTIONS], process->mail, 1);
	slide_add(play->seen[TALLY_RECIPIENTS], process->mail,
	    process->recipients);
}

static void
end(struct play *play, struct process *process)
{
	see(play, process);
	if (!process->begun)
		tally_give_back(play->tally, process->ticket);
	else if (process->killed)
		tally_count(play->tally, process->ticket, clocks(play).boot);
	else
		tally_count(play->tally, process->ticket,
		    process->answer - play->booted);
	*process = (struct process){0};
}

/* All that run are killed, and the real time is right or behind. */
static void
restart(struct play *play)
{
	gint64 off = chance(play, 200 * SECOND);

	for (guint i = 0; i < PROCESSES; i++) {
		struct process *process = &play->processes[i];

		if (process->ticket == 0)
			continue;
		process->killed = TRUE;
		if (process->mail > play->time)
			process->mail = G_MAXINT64;
		process->end = play->time + off;
	}
	play->time += off;
	play->booted = play->time - chance(play, SECOND);
	if (chance(play, 2) == 0)
		play->real_ahead -= chance(play, 1000 * SECOND);
}

static void
step(struct play *play)
{
	struct tally_time now;

	play->time += chance(play, SECOND);
	if (chance(play, 2000) == 0)
		restart(play);
	/*
	 * Somebody sets the clock; not while the machine is off, when nothing
	 * else tells the time.
	 */
	else if (chance(play, 500) == 0)
		play->real_ahead = chance(play, 99999 * SECOND);
	now = clocks(play);
	play->tally = pass_on(play->tally);
	tally_advance(play->tally, &now);
	for (guint i = 0; i < PROCESSES; i++) {
		struct process *process = &play->processes[i];

		if (process->ticket == 0)
			choose(play, process);
		else if (process->end <= play->time)
			end(play, process);
		else if (!process->begun && process->ready <= play->time)
			begin(play, process);
	}
}

/* What the host sees of it all, and what there is room for. */
static void
run(struct play *play, guint steps)
{
	play->time = 1000000 * SECOND;
	play->booted = play->time - chance(play, 1000 * SECOND);
	play->tally = tally_new();
	for (guint unit = 0; unit < TALLY_UNITS; unit++)
		play->seen[unit] = slide_new();
	for (guint i = 0; i < steps; i++)
		step(play);
	for (guint unit = 0; unit < TALLY_UNITS; unit++) {
		const struct rates *rates = &play->rates[unit];

		for (guint i = 0; i < rates->count; i++)
			slide_check(play->seen[unit], rates->rate[i].span,
			    rates->rate[i].count);
		g_assert_cmpuint(slide_total(play->seen[unit]), >, 100);
		g_array_unref(play->seen[unit]);
	}
	tally_free(play->tally);
}

/*
 * Never more in any window, with killed processes, restarts, and a clock that
 * is set.
 */
static void
test_never_more(void)
{
	static const char *const texts[][TALLY_UNITS] = {
	    {"30:1m", "none"},
	    {"none", "50:1m"},
	    {"5:10s, 20:1m, 200:1h", "40:1m"},
	    {"300:1h", "7:20s"},
	};
	g_autoptr(GRand) rand = g_rand_new_with_seed(g_test_rand_int());

	for (guint i = 0; i < 40; i++) {
		const char *const *text = texts[i % G_N_ELEMENTS(texts)];
		struct play play = {
		    .rand = rand,
		    .rates = {rates_of(text[0]), rates_of(text[1])},
		};

		run(&play, 6000);
	}
}

static gint64
wait_of(const struct tally *tally, const char *transactions,
    const char *recipients, guint count, gboolean partial)
{
	const struct rates rates[] = {rates_of(transactions),
	    rates_of(recipients)};
	const struct tally_rates want =
	    wanted(&rates[0], &rates[1], count, partial);

	return tally_wait(tally, &want);
}

static void
claim(struct tally *tally, const char *transactions, const char *recipients,
    guint64 ticket, guint count)
{
	const struct rates rates[] = {rates_of(transactions),
	    rates_of(recipients)};
	const struct tally_rates want =
	    wanted(&rates[0], &rates[1], count, FALSE);

	tally_reserve(tally, &want, ticket, count);
	tally_begin(tally, &want, ticket, count);
}

static void
advance(struct tally *tally, gint64 boot, gint64 real)
{
	const struct tally_time now = {boot, real};

	tally_advance(tally, &now);
}

static void
test_wait(void)
{
	g_autoptr(Tally) tally = tally_new();

	advance(tally, 1000 * SECOND, 5000 * SECOND);
	g_assert_cmpint(wait_of(tally, "1:1m", "none", 9, FALSE), ==, 0);
	claim(tally, "1:1m", "9:1h", 1, 9);
	/* As if it were counted now. */
	g_assert_cmpint(wait_of(tally, "1:1m", "none", 1, FALSE), ==,
	    60 * SECOND);
	tally_give_back(tally, 1);
	g_assert_cmpint(wait_of(tally, "1:1m", "none", 1, FALSE), ==, 0);
	claim(tally, "1:1m", "9:1h", 2, 9);
	tally_count(tally, 2, 990 * SECOND);
	g_assert_cmpint(wait_of(tally, "1:1m", "none", 1, FALSE), ==,
	    51 * SECOND);
	g_assert_cmpint(wait_of(tally, "2:1m", "none", 1, FALSE), ==, 0);
	g_assert_cmpint(wait_of(tally, "none", "9:1h", 1, FALSE), >,
	    3500 * SECOND);
	advance(tally, 1051 * SECOND, 5051 * SECOND);
	g_assert_cmpint(wait_of(tally, "1:1m", "none", 1, FALSE), ==, 0);
	g_assert_cmpint(wait_of(tally, "1:1m", "9:1h", 1, FALSE), >,
	    3400 * SECOND);
}

/* Only as many as there is room for, or all of them or none. */
static void
test_recipients(void)
{
	const struct rates ten = rates_of("10:1m");
	const struct tally_rates want = wanted(&none, &ten, 8, TRUE);
	g_autoptr(Tally) tally = tally_new();

	advance(tally, 1000 * SECOND, 5000 * SECOND);
	g_assert_cmpint(wait_of(tally, "none", "10:1m", 11, FALSE), ==, -1);
	g_assert_cmpint(wait_of(tally, "none", "10:1m", 11, TRUE), ==, 0);
	claim(tally, "none", "10:1m", 1, 7);
	tally_count(tally, 1, 1000 * SECOND);
	g_assert_cmpint(wait_of(tally, "none", "10:1m", 4, FALSE), >, 0);
	g_assert_cmpint(wait_of(tally, "none", "10:1m", 4, TRUE), ==, 0);
	g_assert_cmpuint(tally_room(tally, &want, TALLY_RECIPIENTS), ==, 3);
	g_assert_cmpuint(tally_room(tally, &want, TALLY_TRANSACTIONS), ==,
	    G_MAXUINT);
}

/* Without a ticket it is counted at once; who has no rate counts, too. */
static void
test_others(void)
{
	g_autoptr(Tally) tally = tally_new();

	advance(tally, 1000 * SECOND, 5000 * SECOND);
	claim(tally, "2:1m", "none", 0, 1);
	g_assert_cmpuint(tally->claims->len, ==, 0);
	claim(tally, "none", "none", 7, 1);
	g_assert_cmpint(wait_of(tally, "2:1m", "none", 1, FALSE), >, 0);
	tally_count(tally, 7, 1000 * SECOND);
	g_assert_cmpuint(tally_used(tally, TALLY_TRANSACTIONS, 60 * SECOND), ==,
	    2);
	tally_count(tally, 7, 1000 * SECOND);
	tally_give_back(tally, 7);
	g_assert_cmpuint(tally_used(tally, TALLY_TRANSACTIONS, 60 * SECOND), ==,
	    2);
	g_assert_false(tally_is_spent(tally));
	advance(tally, 1062 * SECOND, 5062 * SECOND);
	g_assert_true(tally_is_spent(tally));
}

/*
 * Who takes a second to come to MAIL has a place so much before there is room,
 * and a bit; the claim has to wait.
 */
static void
test_lead(void)
{
	const struct rates rate = rates_of("2:1m");
	const struct tally_rates want = wanted(&rate, &none, 1, FALSE);
	g_autoptr(Tally) tally = tally_new();

	advance(tally, 1000 * SECOND, 5000 * SECOND);
	g_assert_cmpint(tally_lead(tally), ==, 0);
	claim(tally, "2:1m", "none", 0, 1);
	advance(tally, 1030 * SECOND, 5030 * SECOND);
	claim(tally, "2:1m", "none", 0, 1);
	tally_note_opening(tally, SECOND);
	tally = pass_on(g_steal_pointer(&tally));
	g_assert_cmpint(tally_lead(tally), ==, SECOND * 127 / 100);
	advance(tally, 1059 * SECOND, 5059 * SECOND);
	g_assert_cmpint(tally_wait(tally, &want), ==, SECOND * 73 / 100);
	advance(tally, 1060 * SECOND, 5060 * SECOND);
	g_assert_cmpint(tally_wait(tally, &want), ==, 0);
	tally_reserve(tally, &want, 5, 1);
	g_assert_cmpint(tally_wait(tally, &want), >, 20 * SECOND);
	g_assert_cmpint(tally_begin(tally, &want, 5, 1), ==, SECOND);
	g_assert_cmpuint(tally_used(tally, TALLY_TRANSACTIONS, 60 * SECOND), ==,
	    2);
	advance(tally, 1061 * SECOND, 5061 * SECOND);
	g_assert_cmpint(tally_begin(tally, &want, 5, 1), ==, 0);
	g_assert_cmpuint(tally->claims->len, ==, 1);
	g_assert_cmpuint(tally_used(tally, TALLY_TRANSACTIONS, 60 * SECOND), ==,
	    2);
}

/* A lead of several spans: so many more have a place, and no others. */
static void
test_long_lead(void)
{
	const struct rates rate = rates_of("5:1s");
	const struct tally_rates want = wanted(&rate, &none, 1, FALSE);
	g_autoptr(Tally) tally = tally_new();
	guint places = 0;

	advance(tally, 1000 * SECOND, 5000 * SECOND);
	tally_note_opening(tally, 2 * SECOND);
	while (places < 1000 && tally_wait(tally, &want) == 0)
		tally_reserve(tally, &want, ++places, 1);
	g_assert_cmpuint(places, ==, 15);
	for (guint i = 1; i <= 5; i++)
		g_assert_cmpint(tally_begin(tally, &want, i, 1), ==, 0);
	g_assert_cmpint(tally_begin(tally, &want, 6, 1), >, 0);
	g_assert_cmpint(tally_wait(tally, &want), >, 0);
	tally_give_back(tally, 15);
	g_assert_cmpint(tally_wait(tally, &want), ==, 0);
	g_assert_cmpuint(tally_room(tally, &want, TALLY_TRANSACTIONS), ==, 1);
}

/* One that hangs is not what others take; and nobody has a place for ever. */
static void
test_opening(void)
{
	g_autoptr(Tally) tally = tally_new();

	for (guint i = 0; i < 20; i++)
		tally_note_opening(tally, SECOND / 10);
	tally_note_opening(tally, 3 * SECOND);
	g_assert_cmpint(tally->opening, <, 2 * SECOND);
	for (guint i = 0; i < 40; i++)
		tally_note_opening(tally, SECOND / 10);
	g_assert_cmpint(tally->opening, <, SECOND / 9);
	for (guint i = 0; i < 40; i++)
		tally_note_opening(tally, 100 * SECOND);
	g_assert_cmpint(tally_lead(tally), ==, TALLY_LEAD_MAX);
}

/* How long it was off is told by the real time, if that went on. */
static void
test_restart(void)
{
	g_autoptr(Tally) tally = tally_new();

	advance(tally, 1000 * SECOND, 5000 * SECOND);
	claim(tally, "1:1h", "none", 0, 1);
	advance(tally, 5 * SECOND, 5600 * SECOND);
	g_assert_cmpint(wait_of(tally, "1:1h", "none", 1, FALSE), >,
	    2990 * SECOND);
	g_assert_cmpint(wait_of(tally, "1:1h", "none", 1, FALSE), <=,
	    3060 * SECOND);
	advance(tally, 4 * SECOND, 100 * SECOND);
	g_assert_cmpint(wait_of(tally, "1:1h", "none", 1, FALSE), >,
	    2980 * SECOND);
	/* The clock is set while it runs: nothing happens. */
	advance(tally, 5 * SECOND, 99999999 * SECOND);
	g_assert_cmpint(wait_of(tally, "1:1h", "none", 1, FALSE), >,
	    2980 * SECOND);
}

/* Three spans of usual rates, with all parts in use. */
static void
test_size(void)
{
	const struct rates three = rates_of("14:1s, 30:1m, 10000:1d");
	const struct tally_rates want = wanted(&three, &none, 1, FALSE);
	g_autoptr(Tally) tally = tally_new();
	g_autoptr(GByteArray) record = NULL;

	for (gint64 i = 0; i < 3000; i++) {
		advance(tally, i * SECOND * 30, i * SECOND * 30);
		g_assert_cmpint(tally_begin(tally, &want, 0, 1), ==, 0);
	}
	record = tally_write(tally);
	g_test_message("%u bytes", record->len);
	g_assert_cmpuint(record->len, <, 320);
}

/* Whatever a damaged record says, it ends. */
static void
test_damage(void)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(g_test_rand_int());
	g_autoptr(Tally) tally = tally_new();
	g_autoptr(GByteArray) record = NULL;

	advance(tally, 1000 * SECOND, 5000 * SECOND);
	claim(tally, "5:1s, 6:1m", "7:1d", 0, 3);
	claim(tally, "5:1s, 6:1m", "7:1d", 9, 1);
	record = tally_write(tally);
	for (guint i = 0; i < 20000; i++) {
		gsize size =
		    (gsize)g_rand_int_range(rand, 0, (gint32)record->len + 1);
		g_autofree guint8 *copy = g_memdup2(record->data, size);
		g_autoptr(Tally) read = NULL;

		for (guint j = 0; j < 4 && size > 0; j++)
			copy[g_rand_int_range(rand, 0, (gint32)size)] =
			    (guint8)g_rand_int(rand);
		read = tally_read(copy, size);
		advance(read, 2000 * SECOND, 6000 * SECOND);
		g_assert_cmpint(wait_of(read, "5:1s", "7:1d", 1, TRUE), <=,
		    2 * 86400 * SECOND);
		claim(read, "5:1s", "none", 0, 1);
	}
}

/* A clock that is far ahead is none, lest the host wait for ever. */
static void
test_wild_clock(void)
{
	static const gint64 clocks_set[] = {-1, G_MAXINT64 / 2, G_MAXINT64};

	for (guint i = 0; i < G_N_ELEMENTS(clocks_set); i++) {
		g_autoptr(Tally) tally = tally_new();

		advance(tally, 1000 * SECOND, 5000 * SECOND);
		claim(tally, "1:1h", "none", 0, 1);
		tally->clock = clocks_set[i];
		tally = pass_on(g_steal_pointer(&tally));
		advance(tally, 1000 * SECOND, 5000 * SECOND);
		g_assert_cmpint(wait_of(tally, "1:1h", "none", 1, FALSE), ==,
		    0);
		claim(tally, "1:1h", "none", 0, 1);
		tally = pass_on(g_steal_pointer(&tally));
		g_assert_cmpint(wait_of(tally, "1:1h", "none", 1, FALSE), >, 0);
	}
}

/* Routes that differ do not make the record grow for ever. */
static void
test_windows(void)
{
	g_autoptr(Tally) tally = tally_new();

	advance(tally, 1000 * SECOND, 5000 * SECOND);
	for (guint i = 1; i < 100; i++) {
		g_autofree char *text = g_strdup_printf("9:%us", i);

		claim(tally, text, "none", 0, 1);
	}
	g_assert_cmpuint(tally->windows->len, ==, TALLY_WINDOWS_MAX);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tally/never-more", test_never_more);
	g_test_add_func("/tally/wait", test_wait);
	g_test_add_func("/tally/recipients", test_recipients);
	g_test_add_func("/tally/others", test_others);
	g_test_add_func("/tally/lead", test_lead);
	g_test_add_func("/tally/long-lead", test_long_lead);
	g_test_add_func("/tally/opening", test_opening);
	g_test_add_func("/tally/restart", test_restart);
	g_test_add_func("/tally/size", test_size);
	g_test_add_func("/tally/damage", test_damage);
	g_test_add_func("/tally/wild-clock", test_wild_clock);
	g_test_add_func("/tally/windows", test_windows);
	return g_test_run();
}
