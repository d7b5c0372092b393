/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that postmap(1) has not made, or is making: without it, but with what
 * it does to LMDB.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "route/maplmdb.h"
#include "route/routemap.h"
#include "unit/watched.h"

#define READERS  6
#define REBUILDS 20
#define ENTRIES  600
#define MUTANTS  200

struct fixture {
	char *folder;
	char *map;  /* "lmdb:path" */
	char *file; /* "path.lmdb" */
};

static void
set_up(struct fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	f->folder = g_dir_make_tmp("maplmdb-test-XXXXXX", &error);
	g_assert_no_error(error);
	f->map = g_strdup_printf("lmdb:%s/routes", f->folder);
	f->file = maplmdb_file(f->map);
}

static void
tear_down(struct fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_true(g_remove(f->file) == 0 || errno == ENOENT);
	g_assert_cmpint(g_remove(f->folder), ==, 0);
	g_free(f->file);
	g_free(f->map);
	g_free(f->folder);
}

static void
put(MDB_txn *txn, MDB_dbi dbi, const char *key, const char *value, gsize nul)
{
	MDB_val k = {strlen(key) + nul, (void *)(guintptr)key};
	MDB_val v = {strlen(value) + nul, (void *)(guintptr)value};

	g_assert_cmpint(mdb_put(txn, dbi, &k, &v, 0), ==, 0);
}

/* Calls @fill for a transaction that begins with an empty map. */
static void
rebuild(const struct fixture *f,
    void (*fill)(MDB_txn *txn, MDB_dbi dbi, gconstpointer data),
    gconstpointer data)
{
	const unsigned flags = MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	g_assert_cmpint(mdb_env_create(&env), ==, 0);
	g_assert_cmpint(mdb_env_set_mapsize(env, 16 * 1024 * 1024), ==, 0);
	g_assert_cmpint(mdb_env_open(env, f->file, flags, 0644), ==, 0);
	g_assert_cmpint(mdb_txn_begin(env, NULL, 0, &txn), ==, 0);
	g_assert_cmpint(mdb_dbi_open(txn, NULL, 0, &dbi), ==, 0);
	g_assert_cmpint(mdb_drop(txn, dbi, 0), ==, 0);
	fill(txn, dbi, data);
	g_assert_cmpint(mdb_txn_commit(txn), ==, 0);
	mdb_env_close(env);
}

/* @data: "key value", ... NULL. */
static void
fill_pairs(MDB_txn *txn, MDB_dbi dbi, gconstpointer data)
{
	for (const char *const *pair = data; *pair != NULL; pair++) {
		g_auto(GStrv) parts = g_strsplit(*pair, " ", 2);

		put(txn, dbi, parts[0], parts[1], 1);
	}
}

/* Without the NUL that Postfix stores, as its other programs can do it. */
static void
fill_bare(MDB_txn *txn, MDB_dbi dbi, gconstpointer data)
{
	for (const char *const *pair = data; *pair != NULL; pair++) {
		g_auto(GStrv) parts = g_strsplit(*pair, " ", 2);

		put(txn, dbi, parts[0], parts[1], 0);
	}
}

/* @data: the host of them all. */
static void
fill_many(MDB_txn *txn, MDB_dbi dbi, gconstpointer data)
{
	for (guint i = 0; i < ENTRIES; i++) {
		g_autofree char *key = g_strdup_printf("k%u.example", i);

		put(txn, dbi, key, data, 1);
	}
}

/* The first host's name, or the message with MAP and FILE for the paths. */
static char *
look_up(const struct fixture *f, const char *nexthop, const char *domain)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) route = routemap_find(f->map, nexthop, domain, &error);
	g_auto(GStrv) pieces = NULL;
	g_autofree char *half = NULL;

	if (route != NULL) {
		const struct destination *first =
		    g_ptr_array_index(route->destinations, 0);

		return g_strdup(first->name);
	}
	pieces = g_strsplit(error->message, f->file, -1);
	half = g_strjoinv("FILE", pieces);
	g_strfreev(pieces);
	pieces = g_strsplit(half, f->map, -1);
	return g_strjoinv("MAP", pieces);
}

static void
expect(const struct fixture *f, const char *domain, const char *expected)
{
	g_autofree char *result = look_up(f, NULL, domain);

	g_assert_cmpstr(result, ==, expected);
}

static void
test_forms(struct fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const pairs[] = {"a.example: colon",
	    "b.example. dot", "c.example.: both", ".d.example: parent",
	    "e.example plain", "e.example: colon", "e.example. dot",
	    "ee.example other", NULL};

	rebuild(f, fill_pairs, pairs);
	expect(f, "a.example", "colon");
	expect(f, "b.example", "dot");
	expect(f, "c.example", "both");
	expect(f, "x.d.example", "parent");
	expect(f, "e.example", "plain");
	expect(f, "f.example", "no route for f.example in MAP");
	rebuild(f, fill_bare, pairs);
	expect(f, "a.example", "colon");
	expect(f, "e.example", "plain");
	expect(f, "e.exampl", "no route for e.exampl in MAP");
}

static void
test_letters(struct fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const pairs[] =
	    {"b\xc3\xbc.b\xc3\xbc.b\xc3\xbc.example three",
		"xn--b-eha.x.b\xc3\xbc.example mixed", ".b\xc3\xbc.org parent",
		"xn--b-eha.com both", "b\xc3\xbc.com not", NULL};

	rebuild(f, fill_pairs, pairs);
	expect(f, "xn--b-eha.xn--b-eha.xn--b-eha.example", "three");
	expect(f, "xn--b-eha.x.xn--b-eha.example", "mixed");
	expect(f, "a.xn--b-eha.org", "parent");
	expect(f, "xn--b-eha.com", "both");
	/* Not as many spellings as there may be. */
	expect(f, "xn--b-eha.xn--b-eha.xn--b-eha.xn--b-eha.xn--b-eha",
	    "no route for xn--b-eha.xn--b-eha.xn--b-eha.xn--b-eha.xn--b-eha "
	    "in MAP");
}

static void
test_literals(struct fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const pairs[] = {"[ ]bad", "[192.0.2.1 open",
	    "[192.0.2.1] v4", "[192.0.2.2]: colon",
	    "[ipv6:2001:db8:0:0:0:0:0:1] long", "[2001:db8::2] untagged",
	    "[192.0.2.3]x behind", "* star", NULL};

	rebuild(f, fill_pairs, pairs);
	expect(f, "[192.0.2.1]", "v4");
	expect(f, "[192.0.2.2]", "colon");
	expect(f, "[192.0.2.3]", "star");
	expect(f, "[ipv6:2001:db8::1]", "long");
	expect(f, "[ipv6:2001:db8::2]", "untagged");
	expect(f, "[ipv6:2001:db8::3]", "star");
}

/* What no postmap(1) would leave there. */
static void
test_odd(struct fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *many = g_strnfill(1024 * 1024, ',');
	g_autofree char *large = g_strconcat("large.example a", many, NULL);
	const char *const pairs[] = {large, "empty.example ",
	    "lines.example a,\nb\n", "bad.example a:x", "all: ", NULL};

	rebuild(f, fill_pairs, pairs);
	expect(f, "large.example",
	    "MAP: key large.example has more than 1 MiB");
	expect(f, "empty.example",
	    "MAP: key empty.example: column 1: no destination; expected name, "
	    "[name], IPv4 address or [IPv6 address]");
	expect(f, "lines.example", "a");
	expect(f, "bad.example",
	    "MAP: key bad.example: column 3: bad port 'x'; expected 1 to "
	    "65535");
}

static void
write_file(const struct fixture *f, const char *bytes, gsize length)
{
	FILE *file = g_fopen(f->file, "w");

	g_assert_nonnull(file);
	g_assert_cmpuint(fwrite(bytes, 1, length, file), ==, length);
	g_assert_cmpint(fclose(file), ==, 0);
}

static void
test_foreign(struct fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char text[] = "example.com mx.example.com\n";
	g_autofree char *zeros = g_malloc0(65536);
	g_autofree char *name = look_up(f, "name", "example.com");

	g_assert_cmpstr(name, ==, "FILE: No such file or directory");
	write_file(f, "", 0);
	expect(f, "example.com",
	    "FILE: not an lmdb file; expected what postmap(1) makes");
	write_file(f, text, sizeof(text) - 1);
	expect(f, "example.com",
	    "FILE: not an lmdb file; expected what postmap(1) makes");
	write_file(f, zeros, 65536);
	expect(f, "example.com",
	    "FILE: not an lmdb file; expected what postmap(1) makes");
	g_assert_cmpint(g_remove(f->file), ==, 0);
	g_assert_cmpint(g_mkdir(f->file, 0700), ==, 0);
	expect(f, "example.com", "FILE: Is a directory");
	g_assert_cmpint(g_remove(f->file), ==, 0);
	g_assert_cmpint(mkfifo(f->file, 0600), ==, 0);
	expect(f, "example.com", "FILE: not a regular file");
}

/* What a full disk, a broken one or a hand has made of it. */
static void
test_damage(struct fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(20261128);
	g_autoptr(GError) error = NULL;
	g_autofree char *sound = NULL;
	gsize length;
	guint found = 0;

	/* LMDB's own use of memory would be reported. */
	if (watched_by_anybody())
		return;
	rebuild(f, fill_many, "host");
	g_assert_true(g_file_get_contents(f->file, &sound, &length, &error));
	for (guint i = 0; i < MUTANTS; i++) {
		g_autofree char *bytes = g_memdup2(sound, length);
		gsize cut = i % 3 == 0
		    ? (gsize)g_rand_int_range(random, 0, (gint)length)
		    : length;
		g_autoptr(GError) reason = NULL;
		g_autoptr(Route) route = NULL;

		for (guint change = 0; change < 1 + i % 40; change++)
			bytes[g_rand_int_range(random, 0, (gint)length)] =
			    (char)g_rand_int(random);
		write_file(f, bytes, cut);
		route = routemap_find(f->map, NULL, "k77.example", &reason);
		g_assert_true((route == NULL) == (reason != NULL));
		found += route != NULL;
		if (reason != NULL)
			g_assert_true(g_str_is_ascii(reason->message));
	}
	g_assert_cmpuint(found, >, MUTANTS / 10);
	g_assert_cmpuint(found, <, MUTANTS);
}

/* In a child, which lives until @pipe's other end is closed. */
static void
lock_and_wait(const char *file, int ready, int end)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(file, O_RDWR);
	char byte = 0;

	if (fd < 0 || fcntl(fd, F_SETLK, &lock) < 0 ||
	    write(ready, &byte, 1) < 0 || read(end, &byte, 1) < 0)
		_exit(1);
	_exit(0);
}

/* postmap(1) itself, stopped at a bad moment, would hold up all of Postfix. */
static void
test_locked(struct fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const pairs[] = {"a.example host", NULL};
	int ready[2];
	int end[2];
	int status;
	char byte;
	pid_t pid;

	rebuild(f, fill_pairs, pairs);
	g_assert_cmpint(pipe(ready), ==, 0);
	g_assert_cmpint(pipe(end), ==, 0);
	pid = fork();
	if (pid == 0) {
		close(end[1]);
		lock_and_wait(f->file, ready[1], end[0]);
	}
	g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
	expect(f, "a.example", "host");
	close(end[1]);
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_cmpint(status, ==, 0);
	close(end[0]);
	close(ready[0]);
	close(ready[1]);
}

/* A child that looks up until @end is closed: the two maps' answers will do. */
static int
read_often(const struct fixture *f, int end)
{
	struct pollfd pollfd = {.fd = end};
	gboolean seen[2] = {FALSE, FALSE};

	for (guint i = 0; !seen[0] || !seen[1] || poll(&pollfd, 1, 0) == 0;
	     i++) {
		g_autofree char *key =
		    g_strdup_printf("k%u.example", i % ENTRIES);
		g_autofree char *result = look_up(f, NULL, key);

		seen[0] = seen[0] || strcmp(result, "old") == 0;
		seen[1] = seen[1] || strcmp(result, "new") == 0;
		if (strcmp(result, "old") != 0 && strcmp(result, "new") != 0) {
			g_test_message("%s: %s", key, result);
			return 1;
		}
	}
	return 0;
}

static void
start_readers(const struct fixture *f, int end[2])
{
	g_assert_cmpint(pipe(end), ==, 0);
	for (guint i = 0; i < READERS; i++) {
		if (fork() == 0) {
			close(end[1]);
			_exit(read_often(f, end[0]));
		}
	}
	close(end[0]);
}

static void
test_rebuilds(struct fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	guint left = READERS;
	gboolean told = FALSE;
	int end[2];

	rebuild(f, fill_many, "old");
	start_readers(f, end);
	for (guint i = 0; left > 0; i++) {
		int status;

		rebuild(f, fill_many, i % 2 == 0 ? "new" : "old");
		if (i > REBUILDS && !told) {
			close(end[1]);
			told = TRUE;
		}
		while (waitpid(-1, &status, WNOHANG) > 0) {
			g_assert_cmpint(status, ==, 0);
			left--;
		}
	}
	if (!told)
		close(end[1]);
}

static void
add(const char *path, void (*test)(struct fixture *f, gconstpointer data))
{
	g_test_add(path, struct fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	add("/forms of a key", test_forms);
	add("/letters of other languages", test_letters);
	add("/address literals", test_literals);
	add("/odd entries", test_odd);
	add("/foreign files", test_foreign);
	add("/damaged files", test_damage);
	add("/a lock that is not given back", test_locked);
	add("/rebuilt while it is read", test_rebuilds);
	return g_test_run();
}
