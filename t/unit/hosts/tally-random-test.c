/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many deliveries of several processes by chance, and what the host sees.
 */
#include <config.h>

#include "hosts/tally.h"
#include "unit/slide.h"
#include "unit/tallies.h"
#include "unit/watched.h"

#define PROCESSES 12

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
	    tallies_want(&play->rates[0], &play->rates[1], recipients, FALSE);

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
	const struct tally_rates rates = tallies_want(&play->rates[0],
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
	play->tally = tallies_pass_on(play->tally);
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

	for (guint i = 0; i < watched_times(40); i++) {
		const char *const *text = texts[i % G_N_ELEMENTS(texts)];
		struct play play = {
		    .rand = rand,
		    .rates = {tallies_rates(text[0]), tallies_rates(text[1])},
		};

		run(&play, 6000);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tally/never-more", test_never_more);
	return g_test_run();
}
