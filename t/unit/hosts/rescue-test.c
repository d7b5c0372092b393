/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was ordered outlives a state file that is damaged, or that a process
 * crashed with; and nothing becomes an order that was none.
 */
#include <config.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "hosts/rescue.h"
#include "unit/statefolder.h"
#include "unit/table.h"
#include "unit/trip.h"
#include "unit/watched.h"
#include "util/guard.h"

#define PAGE  4096
#define HOSTS 100

/* Each one in ten of HOSTS. */
#define DRAINED (HOSTS / 10)

/* As statefile.c has it. */
#define LAYOUT_KEY "layout"
#define LAYOUT     "smtproute 5"

static const struct hostrecord drained = {.seen = 1, .drained = TRUE};

/* Work on the file, as any process does it. */
static gboolean
run(const struct statefolder *place,
    void (*work)(struct statefile_view *view, void *data), void *data,
    char **notice)
{
	g_autoptr(Statefile) file = statefile_new(place->folder);
	gboolean done = statefile_run(file, STATEFILE_WRITE, work, data, NULL);
	g_autofree char *said = statefile_take_notice(file);

	if (notice != NULL)
		*notice = g_steal_pointer(&said);
	return done;
}

static void
fill_work(struct statefile_view *view, void *data G_GNUC_UNUSED)
{
	for (guint i = 0; i < HOSTS; i++) {
		struct hostrecord record = {
		    .seen = g_get_real_time(),
		    .drained = i % 10 == 0,
		};
		g_autofree char *name =
		    g_strdup_printf("mx%02u.example.com", i);
		g_autofree char *key = hostrecord_key(name, 25);

		statefile_put(view, key, &record, sizeof(record));
	}
}

static void
assert_drained(const struct statefolder *place, const char *expected)
{
	g_autofree char *text = trip_hosts(place, TRUE);

	g_assert_cmpstr(text, ==, expected);
}

/* How many are read from the file as it is; each was an order. */
static guint
count_rescued(const struct statefolder *place)
{
	g_autoptr(GPtrArray) orders =
	    rescue_orders(place->path, LAYOUT_KEY, LAYOUT);

	for (guint i = 0; i < orders->len; i++) {
		const struct rescued *rescued = g_ptr_array_index(orders, i);
		g_autofree char *expected =
		    g_strdup_printf("host mx%u0.example.com:25", i);

		g_assert_cmpstr(rescued->key, ==, expected);
		g_assert_cmpuint(g_bytes_get_size(rescued->value), ==,
		    sizeof(struct hostrecord));
	}
	return orders->len;
}

/* Whichever page it is: what comes before is there, and nothing else. */
static void
damage_page(const struct statefolder *place, const char *content, gsize length,
    gsize page, guint *counts)
{
	g_autofree char *damaged = g_memdup2(content, length);

	memset(damaged + page * PAGE, 0, PAGE);
	statefolder_write(place, damaged, length);
	counts[0] += count_rescued(place);
	memset(damaged + page * PAGE, 0xa5, PAGE);
	statefolder_write(place, damaged, length);
	counts[1] += count_rescued(place);
}

static void
test_pages(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	g_autofree char *content = NULL;
	guint counts[2] = {0};
	gsize length;

	/* LMDB's own use of memory would be reported. */
	if (watched_by_anybody())
		return;
	statefolder_make(&place);
	g_assert_true(run(&place, fill_work, NULL, NULL));
	g_assert_cmpuint(count_rescued(&place), ==, DRAINED);
	content = statefolder_read(&place, &length);
	g_assert_cmpuint(length, >, 20 * PAGE);
	for (gsize page = 0; page < length / PAGE; page++)
		damage_page(&place, content, length, page, counts);
	g_test_message("%u and %u of %u", counts[0], counts[1],
	    (guint)(length / PAGE) * DRAINED);
	/* On the average those before a page in the middle. */
	for (guint i = 0; i < 2; i++)
		g_assert_cmpuint(counts[i], >, length / PAGE * DRAINED / 3);
}

/* At each length: as much as is there, and no crash. */
static void
test_cut_off(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	g_autofree char *content = NULL;
	gsize length;

	if (watched_by_anybody())
		return;
	statefolder_make(&place);
	g_assert_true(run(&place, fill_work, NULL, NULL));
	content = statefolder_read(&place, &length);
	for (gsize left = 0; left <= length; left += PAGE / 2) {
		statefolder_write(&place, content, left);
		g_assert_cmpuint(count_rescued(&place), <=, DRAINED);
	}
	g_assert_cmpuint(count_rescued(&place), ==, DRAINED);
}

static void
walk_work(struct statefile_view *view, void *data G_GNUC_UNUSED)
{
	g_autofree char *from = g_strdup(HOSTRECORD_PREFIX);
	const void *value;
	gsize size;
	const char *key;

	while ((key = statefile_seek(view, from, &value, &size)) != NULL) {
		g_free(from);
		from = statefile_after(key);
	}
}

/* The page that has this key's record, the newest. */
static gsize
page_of(const char *content, gsize length, const char *key)
{
	gsize page = 0;

	for (gsize i = 0; i + strlen(key) < length; i++) {
		if (memcmp(content + i, key, strlen(key) + 1) == 0)
			page = i / PAGE;
	}
	g_assert_cmpuint(page, >, 1);
	return page;
}

/* A page of hosts is damaged: who was drained before it stays so. */
static void
test_begun_anew(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	g_autofree char *content = NULL;
	g_autofree char *notice = NULL;
	g_autofree char *expected = NULL;
	gsize length;

	if (watched_by_anybody())
		return;
	statefolder_make(&place);
	g_assert_true(run(&place, fill_work, NULL, NULL));
	content = statefolder_read(&place, &length);
	memset(content +
		page_of(content, length, "host mx55.example.com:25") * PAGE,
	    0, PAGE);
	statefolder_write(&place, content, length);
	g_assert_true(run(&place, walk_work, NULL, &notice));
	expected = g_strdup_printf("%s was damaged", place.path);
	g_assert_cmpstr(notice, ==, expected);
	assert_drained(&place, "mx00 mx10 mx20 mx30 mx40 mx50");
}

/* A process crashed: see guard_suspect(). */
static char *
set_aside(const struct statefolder *place)
{
	char *aside = g_strconcat(place->path, GUARD_CRASHED, NULL);

	g_assert_no_errno(g_rename(place->path, aside));
	return aside;
}

static void
assert_set_aside(const struct statefolder *place, const char *notice)
{
	g_autofree char *expected =
	    g_strdup_printf("%s was set aside after a crash", place->path);

	g_assert_cmpstr(notice, ==, expected);
}

static void
test_crash(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	g_autofree char *aside = NULL;
	g_autofree char *notice = NULL;

	statefolder_make(&place);
	g_assert_true(run(&place, fill_work, NULL, NULL));
	aside = set_aside(&place);
	/* Who only reads leaves it to others. */
	assert_drained(&place, "");
	g_assert_no_errno(g_access(aside, F_OK));
	g_assert_true(run(&place, walk_work, NULL, &notice));
	assert_set_aside(&place, notice);
	assert_drained(&place,
	    "mx00 mx10 mx20 mx30 mx40 mx50 mx60 mx70 mx80 mx90");
	/* And no other host is known; it is not read again. */
	g_assert_cmpint(g_access(aside, F_OK), <, 0);
	g_assert_no_errno(g_unlink(place.path));
	g_assert_true(run(&place, walk_work, NULL, NULL));
	assert_drained(&place, "");
}

/* Who took it over was killed before it was removed. */
static void
test_left_over(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	g_autofree char *aside = NULL;
	g_autofree char *notice = NULL;
	g_autofree char *elsewhere = NULL;

	statefolder_make(&place);
	g_assert_true(run(&place, fill_work, NULL, NULL));
	aside = set_aside(&place);
	elsewhere = g_strconcat(place.path, ".elsewhere", NULL);
	g_assert_no_errno(g_rename(aside, elsewhere));
	trip_order(&place, "drain", 'A');
	g_assert_no_errno(g_rename(elsewhere, aside));
	g_assert_true(run(&place, walk_work, NULL, &notice));
	g_assert_cmpstr(notice, ==, NULL);
	assert_drained(&place, "a");
	g_assert_cmpint(g_access(aside, F_OK), <, 0);
}

/* More than the file may hold: nothing of it is kept. */
static void
overfill_work(struct statefile_view *view, void *data G_GNUC_UNUSED)
{
	static char byte;

	statefile_put(view, "filler", &byte, (gsize)1 << 30);
}

/* Whoever comes first gets nowhere: the next one has what was ordered. */
static void
test_crash_and_failure(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	g_autofree char *aside = NULL;
	g_autofree char *notice = NULL;

	/* LMDB leaks what a transaction had that runs out of room. */
	if (watched_by_anybody())
		return;
	statefolder_make(&place);
	g_assert_true(run(&place, fill_work, NULL, NULL));
	aside = set_aside(&place);
	g_assert_false(run(&place, overfill_work, NULL, NULL));
	g_assert_no_errno(g_access(aside, F_OK));
	g_assert_true(run(&place, walk_work, NULL, &notice));
	assert_set_aside(&place, notice);
	assert_drained(&place,
	    "mx00 mx10 mx20 mx30 mx40 mx50 mx60 mx70 mx80 mx90");
	g_assert_cmpint(g_access(aside, F_OK), <, 0);
}

/* What others could have put there. */
static const struct planted {
	const char *says;
	mode_t mode; /* 0: a link to the file */
} planted[] = {
    {"writable by the group", 0660},
    {"writable by all", 0666},
    {"a link", 0},
};

static void
test_planted(gconstpointer data)
{
	const struct planted *row = data;
	g_auto(Statefolder) place = {NULL, NULL};
	g_autofree char *aside = NULL;
	g_autofree char *elsewhere = NULL;
	g_autofree char *notice = NULL;

	statefolder_make(&place);
	g_assert_true(run(&place, fill_work, NULL, NULL));
	aside = set_aside(&place);
	elsewhere = g_strconcat(place.path, ".elsewhere", NULL);
	if (row->mode != 0) {
		g_assert_no_errno(g_chmod(aside, (int)row->mode));
	} else {
		g_assert_no_errno(g_rename(aside, elsewhere));
		g_assert_no_errno(symlink(elsewhere, aside));
	}
	g_assert_true(run(&place, walk_work, NULL, &notice));
	assert_set_aside(&place, notice);
	assert_drained(&place, "");
	g_assert_cmpint(g_access(aside, F_OK), <, 0);
	g_unlink(elsewhere);
}

static void
odd_work(struct statefile_view *view, void *data G_GNUC_UNUSED)
{
	const struct hostrecord noise = {.seen = 1, .drained = 0x55555555};
	const struct hostrecord up = {.seen = 1};

	statefile_put(view, "host a.example.com:25", &drained, sizeof(drained));
	statefile_put(view, "host b.example.com:25", &noise, sizeof(noise));
	statefile_put(view, "host c.example.com:25", &up, sizeof(up));
	statefile_put(view, "host d.example.com:25", &drained,
	    sizeof(drained) - 1);
	statefile_put(view, "host D.example.com:25", &drained, sizeof(drained));
	statefile_put(view, "host e e:25", &drained, sizeof(drained));
	statefile_put(view, "host f.example.com:0", &drained, sizeof(drained));
	statefile_put(view, "host 192.0.2.1:2525", &drained, sizeof(drained));
	statefile_put(view, "hosts", &drained, sizeof(drained));
}

/* The keys, in their order. */
static char *
rescued_keys(const struct statefolder *place, const char *layout)
{
	g_autoptr(GPtrArray) orders =
	    rescue_orders(place->path, LAYOUT_KEY, layout);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < orders->len; i++) {
		const struct rescued *rescued = g_ptr_array_index(orders, i);

		g_string_append_printf(text, "%s;", rescued->key);
	}
	return g_string_free(text, FALSE);
}

static void
test_no_orders(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	g_autofree char *keys = NULL;
	g_autofree char *other = NULL;
	g_autofree char *none = NULL;

	statefolder_make(&place);
	none = rescued_keys(&place, LAYOUT);
	g_assert_cmpstr(none, ==, "");
	g_assert_true(run(&place, odd_work, NULL, NULL));
	keys = rescued_keys(&place, LAYOUT);
	g_assert_cmpstr(keys, ==, "host 192.0.2.1:2525;host a.example.com:25;");
	/* What another version wrote means something else. */
	other = rescued_keys(&place, "smtproute 0");
	g_assert_cmpstr(other, ==, "");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rescue/a page is damaged", test_pages);
	g_test_add_func("/rescue/the file is cut off", test_cut_off);
	g_test_add_func("/rescue/what is begun anew has it", test_begun_anew);
	g_test_add_func("/rescue/so has what follows a crash", test_crash);
	g_test_add_func("/rescue/nothing is lost if that fails",
	    test_crash_and_failure);
	g_test_add_func("/rescue/what is left over is not read twice",
	    test_left_over);
	TABLE_ADD("rescue/not what others may have put there", planted,
	    test_planted);
	g_test_add_func("/rescue/nothing becomes an order", test_no_orders);
	return g_test_run();
}
