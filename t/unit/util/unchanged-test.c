/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "unit/statefolder.h"
#include "unit/table.h"
#include "util/unchanged.h"

/* What is added to the file's numbers. */
static const struct difference {
	const char *says;
	int device;
	int inode;
	int size;
	int seconds;
	int nanoseconds;
	gboolean unchanged;
} differences[] = {
    {"none", 0, 0, 0, 0, 0, TRUE},
    {"another file system", 1, 0, 0, 0, 0, FALSE},
    {"another file", 0, 1, 0, 0, 0, FALSE},
    {"longer", 0, 0, 1, 0, 0, FALSE},
    {"later", 0, 0, 0, 1, 0, FALSE},
    {"a little later", 0, 0, 0, 0, 1, FALSE},
    {"earlier", 0, 0, 0, -1, 0, FALSE},
};

static void
test_difference(gconstpointer data)
{
	const struct difference *row = data;
	struct stat before = {.st_dev = 1, .st_ino = 2, .st_size = 3};
	struct stat now;

	before.st_ctim.tv_sec = 4;
	before.st_ctim.tv_nsec = 5;
	now = before;
	now.st_dev += row->device;
	now.st_ino += row->inode;
	now.st_size += row->size;
	now.st_ctim.tv_sec += row->seconds;
	now.st_ctim.tv_nsec += row->nanoseconds;
	g_assert_cmpint(unchanged(&before, &now), ==, row->unchanged);
}

static void
write_more(const struct statefolder *place, const char *name G_GNUC_UNUSED)
{
	statefolder_write(place, "more", 4);
}

/* It has another name then. */
static void
rename_it(const struct statefolder *place, const char *name)
{
	g_assert_no_errno(rename(place->path, name));
}

static void
replace(const struct statefolder *place, const char *name)
{
	rename_it(place, name);
	statefolder_write(place, "x", 1);
}

static void
link_to_it(const struct statefolder *place, const char *name)
{
	rename_it(place, name);
	g_assert_no_errno(symlink(name, place->path));
}

static const struct event {
	const char *says;
	void (*happen)(const struct statefolder *place, const char *name);
	gboolean there;
} events[] = {
    {"nothing", NULL, TRUE},
    {"written to", write_more, TRUE},
    {"renamed", rename_it, FALSE},
    {"another has its name", replace, FALSE},
    {"a link has its name", link_to_it, FALSE},
};

static void
test_event(gconstpointer data)
{
	const struct event *row = data;
	g_autofree char *name = NULL;
	g_auto(Statefolder) place;
	struct stat before;

	statefolder_make(&place);
	name = g_strconcat(place.path, ".1", NULL);
	statefolder_write(&place, "x", 1);
	g_assert_no_errno(stat(place.path, &before));
	if (row->happen != NULL)
		row->happen(&place, name);
	g_assert_cmpint(unchanged_name(&before, place.path), ==, row->there);
	unlink(name);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("unchanged", differences, test_difference);
	TABLE_ADD("unchanged-name", events, test_event);
	return g_test_run();
}
