/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib/gstdio.h>

#include "unit/settingsfile.h"

/* What every message must fit in, see settings.h. */
#define MESSAGE_MAX 600

char *settingsfile_folder;
char *settingsfile_path;

void
settingsfile_begin(void)
{
	g_test_set_nonfatal_assertions();
	settingsfile_folder = g_dir_make_tmp("settings-test-XXXXXX", NULL);
	g_assert(settingsfile_folder != NULL);
	settingsfile_path =
	    g_build_filename(settingsfile_folder, "smtproute.conf", NULL);
}

void
settingsfile_write(const char *text, gsize length)
{
	g_autoptr(GError) error = NULL;

	g_file_set_contents(settingsfile_path, text, (gssize)length, &error);
	g_assert_no_error(error);
}

void
settingsfile_check_message(const char *message)
{
	g_assert_cmpuint(strlen(message), <, MESSAGE_MAX);
	for (const char *p = message; *p != '\0'; p++)
		g_assert_true(g_ascii_isprint(*p));
}

void
settingsfile_end(void)
{
	g_unlink(settingsfile_path);
	g_rmdir(settingsfile_folder);
	g_free(settingsfile_path);
	g_free(settingsfile_folder);
}
