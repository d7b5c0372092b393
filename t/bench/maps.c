/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * maps map routes lookups
 *
 * What a lookup costs in a route map of so many routes ("d0.example" to
 * "[10.0.0.0]" and so on), a text or "lmdb:path", as a delivery does it, which
 * opens the file for it.  Every fourth is of a domain that has no route.
 *
 * Prints median and 99th percentile of the wall time of a lookup and mean of
 * its CPU time, in microseconds, the greatest resident memory so far in KiB
 * after the first lookup, as a delivery does it, and before, and a sum of all
 * answers.
 */
#include <config.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "route/routemap.h"

#define NANOSECONDS 1000000000

static gint64
now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (gint64)ts.tv_sec * NANOSECONDS + ts.tv_nsec;
}

static guint
number(const char *text)
{
	guint64 value;

	if (!g_ascii_string_to_unsigned(text, 10, 1, 10000000, &value, NULL))
		errx(1, "%s: not a number from 1 to 10000000", text);
	return (guint)value;
}

/* Not getrusage(2), whose figure has what ran here before exec(3). */
static guint64
resident(void)
{
	static const char name[] = "VmHWM:";
	g_autofree char *text = NULL;
	const char *at = NULL;

	if (g_file_get_contents("/proc/self/status", &text, NULL, NULL))
		at = strstr(text, name);
	return at == NULL ? 0 : g_ascii_strtoull(at + strlen(name), NULL, 10);
}

/* Returns what the answer adds to the sum. */
static guint
look_up(const char *map, guint domain, guint routes)
{
	g_autofree char *name = g_strdup_printf("d%u.example", domain);
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) route = routemap_find(map, NULL, name, &error);
	const struct destination *first;

	if (route == NULL) {
		if (!g_error_matches(error, ROUTEMAP_ERROR,
			ROUTEMAP_ERROR_MISSING) ||
		    domain < routes)
			errx(1, "%s: %s", name, error->message);
		return 1;
	}
	first = g_ptr_array_index(route->destinations, 0);
	return g_str_hash(first->name);
}

static int
compare(const void *a, const void *b)
{
	const gint64 *left = a;
	const gint64 *right = b;

	return *left < *right ? -1 : *left > *right;
}

int
main(int argc, char **argv)
{
	guint routes = argc == 4 ? number(argv[2]) : 0;
	guint count = argc == 4 ? number(argv[3]) : 0;
	g_autofree gint64 *walls = g_new(gint64, count);
	g_autoptr(GRand) random = g_rand_new_with_seed(20261128);
	guint64 before = resident();
	guint64 after = before;
	guint sum = 0;
	gint64 cpu;

	if (argc != 4)
		errx(1, "usage: maps map routes lookups");
	cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	for (guint i = 0; i < count; i++) {
		guint domain =
		    g_rand_int(random) % routes + (i % 4 == 0 ? routes : 0);

		walls[i] = now(CLOCK_MONOTONIC);
		sum = sum * 31 + look_up(argv[1], domain, routes);
		walls[i] = now(CLOCK_MONOTONIC) - walls[i];
		if (i == 0)
			after = resident();
	}
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	qsort(walls, count, sizeof(*walls), compare);
	printf("%.1f %.1f %.1f %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
	       " %u\n",
	    (double)walls[count / 2] / 1000,
	    (double)walls[count * 99 / 100] / 1000, (double)cpu / count / 1000,
	    after, before, sum);
	return 0;
}
