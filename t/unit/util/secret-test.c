/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "unit/statefolder.h"
#include "unit/table.h"
#include "unit/watched.h"
#include "util/secret.h"

#define LENGTH_MAX 16

/* What glibc keeps of a thread as it was freed. */
#define CHUNK_MAX 1032

/* So much of a secret is worth finding. */
#define RUN     8
#define PATTERN 0xa7

/* Somebody, and a group, that the test does not run as. */
#define SOMEBODY 54321

#define GOOD -1 /* enum secret_error: none, there is a secret */

static void
write_secret(const struct statefolder *place, const char *text, gsize length)
{
	statefolder_write(place, text, length);
	g_assert_no_errno(g_chmod(place->path, 0600));
}

/* @code: enum secret_error or GOOD. */
static void
assert_secret(const struct statefolder *place, int code, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Secret) secret =
	    secret_read(place->path, LENGTH_MAX, SECRET_STRICT, &error);
	g_autofree char *head = g_strconcat(place->path, ": ", NULL);

	if (code == GOOD) {
		g_assert_no_error(error);
		g_assert_cmpstr(secret, ==, expected);
		return;
	}
	g_assert_null(secret);
	g_assert_error(error, SECRET_ERROR, code);
	g_assert_true(g_str_has_prefix(error->message, head));
	g_assert_cmpstr(error->message + strlen(head), ==, expected);
}

/* ---- content ---- */

#define CONTENT(text) text, sizeof(text) - 1

static const struct content {
	const char *says;
	const char *text;
	gsize length;
	int code;
	const char *expected; /* the secret, or the reason */
} contents[] = {
    {"a byte", CONTENT("x"), GOOD, "x"},
    {"a line", CONTENT("a secret\n"), GOOD, "a secret"},
    {"a line with CR LF", CONTENT("a secret\r\n"), GOOD, "a secret"},
    {"a line with CR", CONTENT("a secret\r"), GOOD, "a secret"},
    {"blanks, which count", CONTENT(" a secret \n"), GOOD, " a secret "},
    {"UTF-8", CONTENT("\xc3\xa4\n"), GOOD, "\xc3\xa4"},
    {"as much as may be", CONTENT("0123456789abcdef"), GOOD,
	"0123456789abcdef"},
    {"as much as may be, and LF", CONTENT("0123456789abcdef\n"), GOOD,
	"0123456789abcdef"},
    {"as much as may be, and CR LF", CONTENT("0123456789abcdef\r\n"), GOOD,
	"0123456789abcdef"},
    {"a byte more", CONTENT("0123456789abcdef."), SECRET_ERROR_CONTENT,
	"longer than 16 bytes"},
    {"a byte more, and LF", CONTENT("0123456789abcdef.\n"),
	SECRET_ERROR_CONTENT, "longer than 16 bytes"},
    {"a byte more, and CR LF", CONTENT("0123456789abcdef.\r\n"),
	SECRET_ERROR_CONTENT, "longer than 16 bytes"},
    {"much more", CONTENT("0123456789abcdef0123456789abcdef\n"),
	SECRET_ERROR_CONTENT, "longer than 16 bytes"},
    {"nothing", CONTENT(""), SECRET_ERROR_CONTENT, "empty"},
    {"LF alone", CONTENT("\n"), SECRET_ERROR_CONTENT, "empty"},
    {"CR LF alone", CONTENT("\r\n"), SECRET_ERROR_CONTENT, "empty"},
    {"two lines", CONTENT("a\nb\n"), SECRET_ERROR_CONTENT,
	"more than one line"},
    {"a line and an empty one", CONTENT("a\n\n"), SECRET_ERROR_CONTENT,
	"more than one line"},
    {"an empty line and a line", CONTENT("\na"), SECRET_ERROR_CONTENT,
	"more than one line"},
    {"a NUL byte", CONTENT("a\0b\n"), SECRET_ERROR_CONTENT, "NUL byte"},
    {"a NUL byte at the end", CONTENT("a\0"), SECRET_ERROR_CONTENT, "NUL byte"},
};

static void
test_content(gconstpointer data)
{
	const struct content *row = data;
	g_auto(Statefolder) place = {NULL, NULL};

	statefolder_make(&place);
	write_secret(&place, row->text, row->length);
	assert_secret(&place, row->code, row->expected);
}

/* ---- who can read it ---- */

#define OURS ((guint)-1) /* as chown(2) takes it */

static const struct access {
	const char *says;
	mode_t mode;
	guint owner; /* or OURS */
	guint group;
	enum secret_modes modes;
	gboolean safe;
} accesses[] = {
    {"to read and write for us", 0600, OURS, OURS, SECRET_STRICT, TRUE},
    {"to read for us", 0400, OURS, OURS, SECRET_STRICT, TRUE},
    {"to read for our group", 0640, OURS, OURS, SECRET_STRICT, TRUE},
    {"to read for our group alone", 0440, OURS, OURS, SECRET_STRICT, TRUE},
    {"to read for others", 0604, OURS, OURS, SECRET_STRICT, FALSE},
    {"to read for all", 0644, OURS, OURS, SECRET_STRICT, FALSE},
    {"to write for our group", 0620, OURS, OURS, SECRET_STRICT, FALSE},
    {"to write for others", 0602, OURS, OURS, SECRET_STRICT, FALSE},
    {"to run for others", 0601, OURS, OURS, SECRET_STRICT, FALSE},
    {"of another group, which may nothing", 0600, OURS, SOMEBODY, SECRET_STRICT,
	TRUE},
    {"of another group, which may read", 0640, OURS, SOMEBODY, SECRET_STRICT,
	FALSE},
    {"of somebody else", 0600, SOMEBODY, OURS, SECRET_STRICT, FALSE},
    {"shared: to read for all", 0444, OURS, OURS, SECRET_SHARED, TRUE},
    {"shared: to read for all, and write for us", 0644, OURS, OURS,
	SECRET_SHARED, TRUE},
    {"shared: of another group, which may read", 0640, OURS, SOMEBODY,
	SECRET_SHARED, TRUE},
    {"shared: to write for our group", 0664, OURS, OURS, SECRET_SHARED, FALSE},
    {"shared: to write for others", 0646, OURS, OURS, SECRET_SHARED, FALSE},
    {"shared: of somebody else", 0444, SOMEBODY, OURS, SECRET_SHARED, FALSE},
};

static void
test_access(gconstpointer data)
{
	const struct access *row = data;
	g_auto(Statefolder) place = {NULL, NULL};
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) checked = NULL;
	g_autoptr(Secret) secret = NULL;

	if ((row->owner != OURS || row->group != OURS) && geteuid() != 0) {
		g_test_skip("only root can give files away");
		return;
	}
	statefolder_make(&place);
	write_secret(&place, "a secret\n", 9);
	g_assert_no_errno(chown(place.path, row->owner, row->group));
	g_assert_no_errno(g_chmod(place.path, (int)row->mode));
	secret = secret_read(place.path, LENGTH_MAX, row->modes, &error);
	g_assert_cmpint(secret_check(place.path, row->modes, &checked), ==,
	    row->safe);
	if (row->safe) {
		g_assert_no_error(error);
		g_assert_cmpstr(secret, ==, "a secret");
		return;
	}
	g_assert_null(secret);
	g_assert_error(error, SECRET_ERROR, SECRET_ERROR_UNSAFE);
	g_assert_error(checked, SECRET_ERROR, SECRET_ERROR_UNSAFE);
	g_assert_cmpstr(error->message, ==, checked->message);
}

/* ---- what is no file ---- */

static void
test_missing(void)
{
	g_auto(Statefolder) place = {NULL, NULL};

	statefolder_make(&place);
	assert_secret(&place, SECRET_ERROR_FILE, "No such file or directory");
}

static void
test_folder(void)
{
	g_auto(Statefolder) place = {NULL, NULL};

	statefolder_make(&place);
	g_assert_no_errno(g_mkdir(place.path, 0700));
	assert_secret(&place, SECRET_ERROR_CONTENT, "not a file");
}

/* Nobody writes to it, and nobody waits for that. */
static void
test_fifo(void)
{
	g_auto(Statefolder) place = {NULL, NULL};

	statefolder_make(&place);
	g_assert_no_errno(mkfifo(place.path, 0600));
	assert_secret(&place, SECRET_ERROR_CONTENT, "not a file");
}

/* ---- this process ---- */

/* In a child; each mistake has its exit status. */
static int
be_protected(const void *data G_GNUC_UNUSED)
{
	struct rlimit core;

	secret_protect();
	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 ||
	    core.rlim_max != 0)
		return 1;
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 2;
}

static void
test_protect(void)
{
	g_assert_cmpint(statefolder_run(be_protected, NULL), ==, 0);
}

#ifdef __GLIBC__
static gboolean
has_run(const volatile guint8 *chunk, gsize size)
{
	gsize run = 0;

	for (gsize i = 0; i < size && run < RUN; i++)
		run = chunk[i] == PATTERN ? run + 1 : 0;
	return run == RUN;
}

/*
 * Frees a chunk of each size, takes them again and looks for what was there.
 * The largest of those that are one size to the C library come first.
 */
static int
look_for_pattern(const void *data)
{
	const gboolean *sweeps = data;
	static guint8 *chunks[CHUNK_MAX + 1];
	int found = 0;

	secret_protect();
	for (gsize size = CHUNK_MAX; size > 0; size--) {
		chunks[size] = g_malloc(size);
		memset(chunks[size], PATTERN, size);
	}
	for (gsize size = CHUNK_MAX; size > 0; size--)
		g_free(chunks[size]);
	if (*sweeps)
		secret_sweep();
	for (gsize size = CHUNK_MAX; size > 0; size--) {
		chunks[size] = g_malloc(size);
		if (has_run(chunks[size], size))
			found = 1;
	}
	return found;
}
#endif

static void
test_sweep(void)
{
#ifdef __GLIBC__
	const gboolean no = FALSE;
	const gboolean yes = TRUE;

	if (watched_by_anybody())
		return;
	/* Else nothing is tested. */
	g_assert_cmpint(statefolder_run(look_for_pattern, &no), ==, 1);
	g_assert_cmpint(statefolder_run(look_for_pattern, &yes), ==, 0);
#else
	g_test_skip("not with this C library");
#endif
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("content", contents, test_content);
	TABLE_ADD("access", accesses, test_access);
	g_test_add_func("/not a file/missing", test_missing);
	g_test_add_func("/not a file/a folder", test_folder);
	g_test_add_func("/not a file/a fifo", test_fifo);
	g_test_add_func("/process/protected", test_protect);
	g_test_add_func("/process/swept", test_sweep);
	return g_test_run();
}
