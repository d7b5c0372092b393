/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state directory hosts processes rounds fresh|loop
 *
 * What the shared state of hosts costs a delivery: hoststate_choose() and
 * hoststate_leave() as a delivery calls them, on so many hosts of one
 * priority, in so many processes at once, each of them so many times.
 *
 *   fresh   every round is a program of its own, as deliveries are
 *   loop    the rounds follow each other without a pause in one program:
 *           warm, and with others at once the most contention there can be
 *
 * Prints in microseconds median and 99th percentile of the wall time of a
 * round and mean of its CPU time, and how many rounds had no memory.
 *
 * state directory hosts rounds: one such program, for the former.
 */
#include <config.h>

#include <err.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hosts/hoststate.h"

#define PORT 25

struct round {
	gint64 wall; /* nanoseconds */
	gint64 cpu;
	gint64 lost; /* had no memory */
};

static gint64
now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (gint64)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static guint
number(const char *text)
{
	guint64 value;

	if (!g_ascii_string_to_unsigned(text, 10, 1, 1000000, &value, NULL))
		errx(1, "%s: not a number from 1 to 1000000", text);
	return (guint)value;
}

static void
fill_contenders(struct contender *contenders, guint count)
{
	for (guint i = 0; i < count; i++) {
		g_autofree char *name =
		    g_strdup_printf("mx%u.bench.invalid", i);

		contenders[i] = (struct contender){
		    .name = g_intern_string(name),
		    .port = PORT,
		    .weight = 1,
		    .max_connections = G_MAXUINT,
		    .lease = 60 * G_USEC_PER_SEC,
		};
	}
}

/* The part of a delivery, to a host that takes the message. */
static gboolean
use_state(const char *directory, struct contender *contenders, guint count)
{
	static const struct health_limits limits = {5 * G_USEC_PER_SEC,
	    300 * G_USEC_PER_SEC};
	g_autoptr(Hoststate) state = hoststate_new(directory, &limits);
	g_autofree char *warning = NULL;
	struct outcome outcome = {.kind = OUTCOME_DELIVERED,
	    .stage = STAGE_FINAL,
	    .code = 250};
	struct endpoint endpoint;
	struct visit visit = {.address = "192.0.2.1",
	    .outcomes = &outcome,
	    .count = 1,
	    .connect = 100,
	    .total = 1000};
	struct departure departure;

	if (!endpoint_parse("192.0.2.1", PORT, &endpoint))
		errx(1, "endpoint_parse");
	if (hoststate_choose(state, contenders, count) == count)
		errx(1, "no host is free");
	hoststate_dcid(state);
	hoststate_is_bad(state, &endpoint);
	hoststate_note(state, &visit);
	hoststate_leave(state, &departure);
	warning = hoststate_take_warning(state);
	return warning == NULL;
}

static void
run_round(const char *directory, guint hosts, struct round *round)
{
	g_autofree struct contender *contenders =
	    g_new(struct contender, hosts);
	gint64 cpu, wall;

	fill_contenders(contenders, hosts);
	cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	wall = now(CLOCK_MONOTONIC);
	round->lost = !use_state(directory, contenders, hosts);
	round->wall = now(CLOCK_MONOTONIC) - wall;
	round->cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
}

/* Writes its rounds, one by one so that those of several do not mix. */
static void
run_program(const char *directory, guint hosts, guint count)
{
	g_autofree struct round *rounds = g_new0(struct round, count);

#ifdef __GLIBC__
	/*
	 * Left to itself malloc(3) learns from the first round to keep LMDB's
	 * megabytes, and has to clear them again each time.
	 */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
	for (guint i = 0; i < count; i++)
		run_round(directory, hosts, &rounds[i]);
	for (guint i = 0; i < count; i++)
		if (write(STDOUT_FILENO, &rounds[i], sizeof(rounds[i])) < 0)
			err(1, "write");
}

static void
await(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		err(1, "fork");
	if (status != 0)
		errx(1, "a process failed");
}

/* One of the processes: runs the program so many times. */
static void
run_process(char **argv, char *rounds, guint times)
{
	char *command[] = {argv[0], argv[1], argv[2], rounds, NULL};

	for (guint i = 0; i < times; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			execv(command[0], command);
			err(1, "%s", command[0]);
		}
		await(pid);
	}
	_exit(0);
}

/* Begins them together; returns where their rounds can be read. */
static int
start_processes(char **argv, pid_t *pids, guint processes)
{
	gboolean fresh = strcmp(argv[5], "fresh") == 0;
	char one[] = "1";
	int results[2];
	int gate[2];
	char byte;

	if (pipe(results) < 0 || pipe(gate) < 0)
		err(1, "pipe");
	for (guint i = 0; i < processes; i++) {
		pids[i] = fork();
		if (pids[i] != 0)
			continue;
		close(gate[1]);
		close(results[0]);
		if (read(gate[0], &byte, 1) < 0 ||
		    dup2(results[1], STDOUT_FILENO) < 0)
			err(1, "pipe");
		close(gate[0]);
		close(results[1]);
		run_process(argv, fresh ? one : argv[4],
		    fresh ? number(argv[4]) : 1);
	}
	close(gate[0]);
	close(gate[1]);
	close(results[1]);
	return results[0];
}

static int
compare_wall(const void *a, const void *b)
{
	const struct round *round_a = a;
	const struct round *round_b = b;

	return (round_a->wall > round_b->wall) -
	    (round_a->wall < round_b->wall);
}

static void
report(struct round *rounds, gsize count)
{
	double cpu = 0;
	gint64 lost = 0;

	qsort(rounds, count, sizeof(*rounds), compare_wall);
	for (gsize i = 0; i < count; i++) {
		cpu += (double)rounds[i].cpu;
		lost += rounds[i].lost;
	}
	printf("%.1f %.1f %.1f %d\n", (double)rounds[count / 2].wall / 1e3,
	    (double)rounds[count * 99 / 100].wall / 1e3,
	    cpu / (double)count / 1e3, (int)lost);
}

static void
run_all(char **argv)
{
	guint processes = number(argv[3]);
	gsize count = (gsize)processes * number(argv[4]);
	g_autofree struct round *rounds = g_new0(struct round, count);
	g_autofree pid_t *pids = g_new(pid_t, processes);
	int results = start_processes(argv, pids, processes);

	for (gsize i = 0; i < count; i++)
		if (read(results, &rounds[i], sizeof(rounds[i])) !=
		    sizeof(rounds[i]))
			errx(1, "a process failed");
	for (guint i = 0; i < processes; i++)
		await(pids[i]);
	report(rounds, count);
}

int
main(int argc, char **argv)
{
	if (argc == 4)
		run_program(argv[1], number(argv[2]), number(argv[3]));
	else if (argc == 6)
		run_all(argv);
	else
		errx(1,
		    "usage: state directory hosts processes rounds fresh|loop");
	return 0;
}
