/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state file with other processes: that hold it, remove it or are killed.
 */
#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "hosts/statefile.h"
#include "unit/statefolder.h"
#include "unit/statetexts.h"
#include "util/autofd.h"
#include "util/deadline.h"

#define KILLS  30
#define KEYS   40
#define LENGTH 1000

/* A child that has the file to itself until the pipe is closed. */
struct holder {
	const struct statefolder *place;
	int operation; /* of flock(2) */
	int ready[2];
	int end[2];
	pid_t pid;
};

static int
hold(const void *data)
{
	const struct holder *holder = data;
	autofd fd =
	    open(holder->place->path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	char byte = 0;

	close(holder->end[1]);
	g_assert_no_errno(flock(fd, holder->operation));
	g_assert_cmpint(write(holder->ready[1], &byte, 1), ==, 1);
	g_assert_cmpint(read(holder->end[0], &byte, 1), ==, 0);
	return 0;
}

static void
holder_start(struct holder *holder, const struct statefolder *place,
    int operation)
{
	char byte;

	holder->place = place;
	holder->operation = operation;
	g_assert_no_errno(pipe2(holder->ready, O_CLOEXEC));
	g_assert_no_errno(pipe2(holder->end, O_CLOEXEC));
	holder->pid = statefolder_fork(hold, holder);
	g_assert_cmpint(read(holder->ready[0], &byte, 1), ==, 1);
}

static void
holder_end(struct holder *holder, int status)
{
	autofd_clear(&holder->end[1]);
	g_assert_cmpint(statefolder_wait(holder->pid), ==, status);
	for (int i = 0; i < 2; i++) {
		autofd_clear(&holder->ready[i]);
		autofd_clear(&holder->end[i]);
	}
}

static void
assert_locked(const struct statefolder *place, enum statefile_access access)
{
	g_autoptr(Statefile) file = statefile_new(place->folder);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	g_assert_false(
	    statefile_run(file, access, statetexts_list_work, text, &error));
	g_assert_true(g_str_has_suffix(error->message,
	    STATEFILE_NAME ": locked by another process"));
}

/* Such a one must not hold up all mail. */
static void
test_stopped_holder(void)
{
	g_auto(Statefolder) place;
	struct holder holder;

	statefolder_make(&place);
	statetexts_put(&place, "a=1");
	holder_start(&holder, &place, LOCK_EX);
	g_assert_no_errno(kill(holder.pid, SIGSTOP));
	assert_locked(&place, STATEFILE_WRITE);
	assert_locked(&place, STATEFILE_READ);
	g_assert_no_errno(kill(holder.pid, SIGKILL));
	holder_end(&holder, 128 + SIGKILL);
	statetexts_put(&place, "b=2");
	statetexts_assert(&place, STATEFILE_READ, "a=1 b=2");
}

static void
test_readers(void)
{
	g_auto(Statefolder) place;
	struct holder holder;

	statefolder_make(&place);
	statetexts_put(&place, "a=1");
	holder_start(&holder, &place, LOCK_SH);
	statetexts_assert(&place, STATEFILE_READ, "a=1");
	assert_locked(&place, STATEFILE_WRITE);
	holder_end(&holder, 0);
	statetexts_assert(&place, STATEFILE_WRITE, "a=1");
}

/* Whoever removes it does not wait for who holds it. */
static void
test_removed(void)
{
	g_auto(Statefolder) place;
	struct holder holder;

	statefolder_make(&place);
	statetexts_put(&place, "a=1");
	holder_start(&holder, &place, LOCK_EX);
	g_assert_no_errno(g_unlink(place.path));
	statetexts_put(&place, "b=2");
	holder_end(&holder, 0);
	statetexts_assert(&place, STATEFILE_WRITE, "b=2");
}

static int
put_one(const void *data)
{
	const struct holder *holder = data;

	close(holder->end[1]);
	statetexts_put(holder->place, "b=2");
	return 0;
}

/* proc(5): "1: -> FLOCK ADVISORY WRITE pid device:inode 0 EOF". */
static gboolean
is_waited_for(ino_t inode)
{
	g_autofree char *locks = NULL;
	g_autofree char *pattern =
	    g_strdup_printf("*-> FLOCK *:%" G_GUINT64_FORMAT " *",
		(guint64)inode);

	if (!g_file_get_contents("/proc/locks", &locks, NULL, NULL))
		return TRUE;
	return g_pattern_match_simple(pattern, locks);
}

/* Who has waited for the old one goes on with the new one. */
static void
test_removed_while_waiting(void)
{
	g_auto(Statefolder) place;
	struct holder holder;
	struct stat st;
	gint64 deadline = deadline_in(60 * G_USEC_PER_SEC);
	pid_t pid;

	statefolder_make(&place);
	statetexts_put(&place, "a=1");
	holder_start(&holder, &place, LOCK_EX);
	g_assert_no_errno(stat(place.path, &st));
	pid = statefolder_fork(put_one, &holder);
	while (!is_waited_for(st.st_ino) && deadline_left(deadline) > 0)
		g_usleep(1000);
	g_assert_no_errno(g_unlink(place.path));
	holder_end(&holder, 0);
	g_assert_cmpint(statefolder_wait(pid), ==, 0);
	statetexts_assert(&place, STATEFILE_WRITE, "b=2");
}

static void
remove_file(const struct statefolder *place)
{
	g_assert_no_errno(g_unlink(place->path));
}

static void
empty_file(const struct statefolder *place)
{
	g_assert_no_errno(truncate(place->path, 0));
}

/* What a handle sees that has the file open while others begin it anew. */
static void
assert_follows(void (*end_file)(const struct statefolder *place))
{
	g_auto(Statefolder) place;
	g_autoptr(Statefile) file = NULL;
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	statefolder_make(&place);
	statetexts_put(&place, "a=1");
	file = statefile_new(place.folder);
	for (int i = 0; i < 3; i++) {
		statefile_run(file, STATEFILE_WRITE, statetexts_list_work, text,
		    &error);
		g_assert_no_error(error);
		g_assert_cmpstr(text->str, ==, i == 0 ? "a=1" : "b=2");
		end_file(&place);
		statetexts_put(&place, "b=2");
	}
}

static void
test_removed_between(void)
{
	assert_follows(remove_file);
}

static void
test_begun_anew_between(void)
{
	assert_follows(empty_file);
}

static int
put_in_child(const void *data)
{
	statetexts_put(data, "b=2");
	return 0;
}

static void
remove_within(struct statefile_view *view, void *data)
{
	const struct statefolder *place = data;

	statefile_put(view, "a", "1", 2);
	g_unlink(place->path);
	g_assert_cmpint(statefolder_run(put_in_child, place), ==, 0);
	statefile_put(view, "c", "3", 2);
}

/* Two files at once: the one that has gone takes with it what it holds. */
static void
test_removed_within(void)
{
	g_auto(Statefolder) place;

	statefolder_make(&place);
	statetexts_run(&place, remove_within, &place);
	statetexts_assert(&place, STATEFILE_WRITE, "b=2");
}

/* Puts one number into many places, some of which come and go. */
static void
put_everywhere(struct statefile_view *view, void *data)
{
	char value[LENGTH] = {0};
	guint *number = data;

	g_assert_cmpint(g_snprintf(value, sizeof(value), "%u", *number), >, 0);
	for (guint i = 0; i < KEYS; i++) {
		char key[16];

		g_snprintf(key, sizeof(key), "key %u", i);
		statefile_put(view, key, value, sizeof(value));
		g_snprintf(key, sizeof(key), "passing %u", *number % 7 + i);
		statefile_put(view, key, value, 8 + *number % LENGTH / 2);
		g_snprintf(key, sizeof(key), "passing %u", *number % 5 + i * 2);
		statefile_delete(view, key);
	}
}

struct writer {
	const struct statefolder *place;
	int progress; /* a byte for each commit */
};

static int
write_for_ever(const void *data)
{
	const struct writer *writer = data;
	guint number = (guint)getpid() % 1000 * 1000;

	for (;; number++) {
		g_autoptr(Statefile) file =
		    statefile_new(writer->place->folder);
		g_autofree char *notice = NULL;
		char byte = 0;

		if (!statefile_run(file, STATEFILE_WRITE, put_everywhere,
			&number, NULL))
			return 1;
		notice = statefile_take_notice(file);
		if (notice != NULL || write(writer->progress, &byte, 1) != 1)
			return 1;
	}
}

static void
assert_everywhere_the_same(struct statefile_view *view,
    void *data G_GNUC_UNUSED)
{
	char first[LENGTH];
	const char *value = statefile_get(view, "key 0", LENGTH);

	g_assert_nonnull(value);
	memcpy(first, value, sizeof(first));
	for (guint i = 1; i < KEYS; i++) {
		char key[16];

		g_snprintf(key, sizeof(key), "key %u", i);
		value = statefile_get(view, key, LENGTH);
		g_assert_nonnull(value);
		g_assert_cmpmem(value, LENGTH, first, sizeof(first));
	}
}

/* Not at the same point each time, and no longer than a commit takes. */
static void
pass_time(void)
{
	for (gint32 i = g_random_int_range(0, 2000); i > 0; i--)
		getppid();
}

/*
 * Two write, one is killed in the midst of it: what it was about to write is
 * there as a whole, or not at all, and the other one goes on.
 */
static void
test_killed_writers(void)
{
	g_auto(Statefolder) place;
	int progress[2];
	struct writer writer = {.place = &place};
	pid_t pids[2];
	pid_t *pid;
	char byte;

	statefolder_make(&place);
	g_assert_no_errno(pipe2(progress, O_CLOEXEC));
	writer.progress = progress[1];
	for (int i = 0; i < 2; i++)
		pids[i] = statefolder_fork(write_for_ever, &writer);
	for (int i = 0; i < KILLS; i++) {
		g_assert_cmpint(read(progress[0], &byte, 1), ==, 1);
		pid = &pids[i & 1];
		pass_time();
		g_assert_no_errno(kill(*pid, SIGKILL));
		g_assert_cmpint(statefolder_wait(*pid), ==, 128 + SIGKILL);
		statetexts_run(&place, assert_everywhere_the_same, NULL);
		*pid = statefolder_fork(write_for_ever, &writer);
	}
	for (int i = 0; i < 2; i++) {
		g_assert_no_errno(kill(pids[i], SIGKILL));
		statefolder_wait(pids[i]);
	}
	statetexts_run(&place, assert_everywhere_the_same, NULL);
	close(progress[0]);
	close(progress[1]);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/statefile/held by a process that is stopped",
	    test_stopped_holder);
	g_test_add_func("/statefile/held by one that reads", test_readers);
	g_test_add_func("/statefile/removed while it is held", test_removed);
	g_test_add_func("/statefile/removed while it is waited for",
	    test_removed_while_waiting);
	g_test_add_func("/statefile/removed between two uses",
	    test_removed_between);
	g_test_add_func("/statefile/begun anew between two uses",
	    test_begun_anew_between);
	g_test_add_func("/statefile/removed while it is written",
	    test_removed_within);
	g_test_add_func("/statefile/writers are killed", test_killed_writers);
	return g_test_run();
}
