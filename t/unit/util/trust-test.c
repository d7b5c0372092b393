/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "unit/statefolder.h"
#include "unit/table.h"
#include "util/trust.h"

#define OTHER 54321

/* Modes of a folder and the file in it, 0: as they are; who owns the file. */
static const struct row {
	const char *says;
	mode_t folder;
	mode_t file;
	uid_t owner;       /* 0: who runs this */
	const char *fault; /* FOLDER, FILE and USER stand for what they are */
} rows[] = {
    {"private", 0700, 0600, 0, NULL},
    {"for all to read", 0755, 0644, 0, NULL},
    {"the group writes the file", 0755, 0664, 0,
	"FILE: mode 0664 lets others change it; expected no write access for "
	"group and others"},
    {"others write the file", 0755, 0602, 0,
	"FILE: mode 0602 lets others change it; expected no write access for "
	"group and others"},
    {"others write the folder", 0777, 0600, 0,
	"FOLDER: mode 0777 lets others change it; expected no write access "
	"for group and others"},
    {"the group writes the folder", 0775, 0600, 0,
	"FOLDER: mode 0775 lets others change it; expected no write access "
	"for group and others"},
    {"others write the folder, but keep what is not theirs", 01777, 0600, 0,
	NULL},
    {"a sticky file is no folder", 0755, 01666, 0,
	"FILE: mode 1666 lets others change it; expected no write access for "
	"group and others"},
    {"somebody else's", 0755, 0644, OTHER,
	"FILE: owned by user 54321; expected root or user USER"},
};

/* @text with the names filled in, a new string. */
static char *
filled(const char *text, const struct statefolder *place, uid_t user)
{
	g_autoptr(GString) all = g_string_new(text);
	g_autofree char *number = g_strdup_printf("%u", (guint)user);

	g_string_replace(all, "FOLDER", place->folder, 0);
	g_string_replace(all, "FILE", place->path, 0);
	g_string_replace(all, "USER", number, 0);
	return g_strdup(all->str);
}

static void
assert_fault(const struct statefolder *place, const char *path, uid_t user,
    const char *text)
{
	g_autofree char *fault = trust_fault(path, user);
	g_autofree char *expected =
	    text != NULL ? filled(text, place, user) : NULL;

	g_assert_cmpstr(fault, ==, expected);
}

static void
test_row(gconstpointer data)
{
	const struct row *row = data;
	uid_t user = geteuid() != 0 ? geteuid() : 7;
	g_auto(Statefolder) place;

	if (row->owner != 0 && geteuid() != 0) {
		g_test_skip("another owner needs root");
		return;
	}
	statefolder_make(&place);
	statefolder_write(&place, "x", 1);
	g_assert_no_errno(chmod(place.path, row->file));
	if (row->owner != 0)
		g_assert_no_errno(chown(place.path, row->owner, row->owner));
	g_assert_no_errno(chmod(place.folder, row->folder));
	assert_fault(&place, place.path, user, row->fault);
	if (row->owner != 0)
		assert_fault(&place, place.path, row->owner, NULL);
}

/* The way is looked at as it stands, and as the links lead. */
static void
test_links(void)
{
	g_auto(Statefolder) place;
	g_auto(Statefolder) other;
	g_autofree char *link = NULL;

	statefolder_make(&place);
	statefolder_make(&other);
	statefolder_write(&place, "x", 1);
	link = g_build_filename(other.folder, "link", NULL);
	g_assert_no_errno(symlink(place.path, link));
	assert_fault(&place, link, geteuid(), NULL);
	g_assert_no_errno(chmod(place.path, 0666));
	assert_fault(&place, link, geteuid(),
	    "FILE: mode 0666 lets others change it; expected no write access "
	    "for group and others");
	g_assert_no_errno(chmod(place.path, 0600));
	g_assert_no_errno(chmod(other.folder, 0777));
	assert_fault(&other, link, geteuid(),
	    "FOLDER: mode 0777 lets others change it; expected no write "
	    "access for group and others");
	g_assert_no_errno(unlink(link));
	g_assert_no_errno(symlink(link, link));
	g_assert_no_errno(chmod(other.folder, 0700));
	assert_fault(&other, link, geteuid(), NULL);
	g_assert_no_errno(unlink(link));
	assert_fault(&other, "/nonexistent/file", geteuid(), NULL);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("trust", rows, test_row);
	g_test_add_func("/trust/links", test_links);
	return g_test_run();
}
