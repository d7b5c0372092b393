/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may be found in the place of the state file.
 */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "hosts/statefile.h"
#include "unit/statefolder.h"
#include "unit/statetexts.h"
#include "unit/table.h"

/* Anybody but root; only used if root runs this. */
#define UNSAFE "owned or writable by others"

#define OTHER  54321
#define NOBODY 65534

static void
make_nothing(const struct statefolder *place G_GNUC_UNUSED)
{
}

static void
make_empty(const struct statefolder *place)
{
	statefolder_write(place, "", 0);
}

static void
make_text(const struct statefolder *place)
{
	statefolder_write(place, "not a database\n", 15);
}

static void
make_zeros(const struct statefolder *place)
{
	g_autofree char *zeros = g_malloc0(100000);

	statefolder_write(place, zeros, 100000);
}

static void
make_noise(const struct statefolder *place)
{
	guint32 noise[10000];

	for (gsize i = 0; i < G_N_ELEMENTS(noise); i++)
		noise[i] = g_random_int();
	statefolder_write(place, noise, sizeof(noise));
}

static void
make_other_layout(const struct statefolder *place)
{
	statetexts_put(place, "layout=smtproute~0 a=1");
}

static void
make_no_layout(const struct statefolder *place)
{
	statetexts_put(place, "a=1");
	statetexts_delete(place, "layout");
}

static void
make_folder(const struct statefolder *place)
{
	g_assert_no_errno(g_mkdir(place->path, 0700));
}

static void
make_fifo(const struct statefolder *place)
{
	g_assert_no_errno(mkfifo(place->path, 0600));
}

static void
make_link_to_nothing(const struct statefolder *place)
{
	g_assert_no_errno(symlink("/nonexistent", place->path));
}

static void
make_link_to_itself(const struct statefolder *place)
{
	g_assert_no_errno(symlink(STATEFILE_NAME, place->path));
}

static void
make_device_link(const struct statefolder *place)
{
	g_assert_no_errno(symlink("/dev/zero", place->path));
}

static void
make_read_only(const struct statefolder *place)
{
	statetexts_put(place, "a=1");
	g_assert_no_errno(g_chmod(place->path, 0444));
	g_assert_no_errno(g_chmod(place->folder, 0755));
}

static void
make_secret(const struct statefolder *place)
{
	make_read_only(place);
	g_assert_no_errno(g_chmod(place->path, 0));
}

static void
make_group_writable(const struct statefolder *place)
{
	statetexts_put(place, "a=1");
	g_assert_no_errno(chmod(place->path, 0660));
}

static void
make_writable(const struct statefolder *place)
{
	statetexts_put(place, "a=1");
	g_assert_no_errno(chmod(place->path, 0602));
}

static void
make_folder_read_only(const struct statefolder *place)
{
	g_assert_no_errno(g_chmod(place->folder, 0555));
}

/* In the place of a sound file, for somebody who is not root. */
static const struct oddity {
	const char *says;
	void (*make)(const struct statefolder *place);
	const char *write; /* the error, or "": works */
	const char *read;
	const char *notice; /* NULL: none */
} oddities[] = {
    {"nothing", make_nothing, "", "No such file or directory", NULL},
    {"an empty file", make_empty, "", "No such file or directory", NULL},
    {"a text", make_text, "", "damaged", "damaged"},
    {"zeros", make_zeros, "", "damaged", "damaged"},
    {"noise", make_noise, "", "damaged", "damaged"},
    {"another version's", make_other_layout, "", "of another version",
	"of another version"},
    {"another program's", make_no_layout, "", "of another version",
	"of another version"},
    {"a folder", make_folder, "Is a directory", "Invalid argument", NULL},
    {"a pipe", make_fifo, "Invalid argument", "Invalid argument", NULL},
    {"a link to nothing", make_link_to_nothing,
	"Too many levels of symbolic links",
	"Too many levels of symbolic links", NULL},
    {"a link to itself", make_link_to_itself,
	"Too many levels of symbolic links",
	"Too many levels of symbolic links", NULL},
    {"a link to a device", make_device_link,
	"Too many levels of symbolic links",
	"Too many levels of symbolic links", NULL},
    {"a file that may only be read", make_read_only, "Permission denied", "",
	NULL},
    {"a file that may not be read", make_secret, "Permission denied",
	"Permission denied", NULL},
    {"a file that its group may write", make_group_writable, UNSAFE, UNSAFE,
	NULL},
    {"a file that anybody may write", make_writable, UNSAFE, UNSAFE, NULL},
    {"a folder that may only be read", make_folder_read_only,
	"Permission denied", "No such file or directory", NULL},
};

/* "" if it works, else the error without the path. */
static char *
try_access(const struct statefolder *place, enum statefile_access access,
    char **notice)
{
	g_autoptr(Statefile) file = statefile_new(place->folder);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	statefile_run(file, access, statetexts_list_work, text, &error);
	*notice = statefile_take_notice(file);
	if (error == NULL)
		return g_strdup("");
	g_assert_true(g_str_has_prefix(error->message, place->path));
	return g_strdup(error->message + strlen(place->path) + 2);
}

struct trial {
	const struct oddity *row;
	const struct statefolder *place;
};

static void
drop_rights(const struct statefolder *place)
{
	if (geteuid() != 0)
		return;
	if (chown(place->folder, NOBODY, NOBODY) < 0 ||
	    lchown(place->path, NOBODY, NOBODY) < 0)
		g_assert_cmpint(errno, ==, ENOENT);
	g_assert_no_errno(setgid(NOBODY));
	g_assert_no_errno(setuid(NOBODY));
}

static int
try_oddity(const void *data)
{
	const struct trial *trial = data;
	const struct oddity *row = trial->row;
	g_autofree char *notice = NULL;
	g_autofree char *no_notice = NULL;
	g_autofree char *read = NULL;
	g_autofree char *write = NULL;
	g_autofree char *again = NULL;
	g_autofree char *expected = NULL;

	drop_rights(trial->place);
	read = try_access(trial->place, STATEFILE_READ, &no_notice);
	g_assert_cmpstr(read, ==, row->read);
	g_assert_cmpstr(no_notice, ==, NULL);
	write = try_access(trial->place, STATEFILE_WRITE, &notice);
	g_assert_cmpstr(write, ==, row->write);
	if (row->notice != NULL)
		expected = g_strdup_printf("%s was %s", trial->place->path,
		    row->notice);
	g_assert_cmpstr(notice, ==, expected);
	again = try_access(trial->place, STATEFILE_WRITE, &no_notice);
	g_assert_cmpstr(again, ==, row->write);
	g_assert_cmpstr(no_notice, ==, NULL);
	return 0;
}

static void
test_oddity(gconstpointer data)
{
	g_auto(Statefolder) place;
	struct trial trial = {data, &place};

	statefolder_make(&place);
	trial.row->make(&place);
	g_assert_cmpint(statefolder_run(try_oddity, &trial), ==, 0);
}

/* The folder is the agent's, the file is not. */
static int
try_foreign(const void *data)
{
	const struct statefolder *place = data;
	g_autofree char *notice = NULL;
	g_autofree char *read = NULL;
	g_autofree char *write = NULL;

	g_assert_no_errno(chown(place->path, NOBODY, NOBODY));
	read = try_access(place, STATEFILE_READ, &notice);
	g_assert_cmpstr(read, ==, UNSAFE);
	write = try_access(place, STATEFILE_WRITE, &notice);
	g_assert_cmpstr(write, ==, UNSAFE);
	return 0;
}

/* As a monitoring system does, for which it has leave by its group. */
static int
try_reader(const void *data)
{
	const struct statefolder *place = data;
	g_autofree char *notice = NULL;
	g_autofree char *read = NULL;
	g_autofree char *write = NULL;

	g_assert_no_errno(chmod(place->path, 0644));
	g_assert_no_errno(chown(place->folder, OTHER, OTHER));
	g_assert_no_errno(chown(place->path, OTHER, OTHER));
	g_assert_no_errno(setgid(NOBODY));
	g_assert_no_errno(setuid(NOBODY));
	read = try_access(place, STATEFILE_READ, &notice);
	g_assert_cmpstr(read, ==, "");
	write = try_access(place, STATEFILE_WRITE, &notice);
	g_assert_cmpstr(write, ==, "Permission denied");
	return 0;
}

static void
test_owner(void)
{
	static int (*const trials[])(
	    const void *data) = {try_foreign, try_reader};

	if (geteuid() != 0) {
		g_test_skip("another owner needs root");
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(trials); i++) {
		g_auto(Statefolder) place;

		statefolder_make(&place);
		g_assert_no_errno(chmod(place.folder, 0755));
		statetexts_put(&place, "a=1");
		g_assert_cmpint(statefolder_run(trials[i], &place), ==, 0);
	}
}

static void
do_nothing(struct statefile_view *view G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
}

static void
test_no_folder(void)
{
	g_autoptr(Statefile) file = statefile_new("/nonexistent");
	g_autoptr(GError) error = NULL;

	g_assert_false(
	    statefile_run(file, STATEFILE_WRITE, do_nothing, NULL, &error));
	g_assert_cmpstr(error->message, ==,
	    "/nonexistent/" STATEFILE_NAME ": No such file or directory");
	g_assert_cmpint(statefile_ticket_fd(file), ==, -1);
}

/* As a full disk: writing fails in the middle. */
static int
write_with_limit(const void *data)
{
	const struct statefolder *place = data;
	const rlim_t limits[] = {0, 100, 4096, 5000, 8192, 10000, 12288, 20000};

	signal(SIGXFSZ, SIG_IGN);
	for (gsize i = 0; i < G_N_ELEMENTS(limits); i++) {
		const struct rlimit limit = {limits[i], RLIM_INFINITY};
		g_autofree char *notice = NULL;
		g_autofree char *error = NULL;

		g_assert_no_errno(setrlimit(RLIMIT_FSIZE, &limit));
		error = try_access(place, STATEFILE_WRITE, &notice);
		g_assert_cmpstr(error, !=, "damaged");
		/* Two pages, and one for the layout. */
		if (error[0] == '\0')
			g_assert_cmpuint(limits[i], >=, 12288);
	}
	return 0;
}

static void
test_no_room(void)
{
	g_auto(Statefolder) place;

	statefolder_make(&place);
	g_assert_cmpint(statefolder_run(write_with_limit, &place), ==, 0);
	statetexts_put(&place, "a=1");
	statetexts_assert(&place, STATEFILE_READ, "a=1");
}

static int
write_more_with_limit(const void *data)
{
	const struct statefolder *place = data;
	const struct rlimit limit = {4096, RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	g_assert_no_errno(setrlimit(RLIMIT_FSIZE, &limit));
	for (int i = 0; i < 3; i++) {
		g_autoptr(Statefile) file = statefile_new(place->folder);
		g_autoptr(GError) reason = NULL;
		g_auto(GStrv) words = g_strsplit("a 2 b 2", " ", 0);

		g_assert_false(statefile_run(file, STATEFILE_WRITE,
		    statetexts_put_work, words, &reason));
		g_assert_true(
		    g_str_has_suffix(reason->message, ": File too large"));
	}
	return 0;
}

/* What was there is kept: all others still have room. */
static void
test_no_room_for_more(void)
{
	g_auto(Statefolder) place;

	statefolder_make(&place);
	statetexts_put(&place, "a=1");
	g_assert_cmpint(statefolder_run(write_more_with_limit, &place), ==, 0);
	statetexts_assert(&place, STATEFILE_WRITE, "a=1");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("statefile/in its place", oddities, test_oddity);
	g_test_add_func("/statefile/another owner", test_owner);
	g_test_add_func("/statefile/no folder", test_no_folder);
	g_test_add_func("/statefile/no room", test_no_room);
	g_test_add_func("/statefile/no room for more", test_no_room_for_more);
	return g_test_run();
}
