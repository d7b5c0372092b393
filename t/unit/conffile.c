/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib/gstdio.h>

#include "conf/settings.h"
#include "unit/conffile.h"

char *conffile_folder;
char *conffile_path;

void
conffile_begin(void)
{
	g_test_set_nonfatal_assertions();
	conffile_folder = g_dir_make_tmp("settings-test-XXXXXX", NULL);
	g_assert(conffile_folder != NULL);
	conffile_path =
	    g_build_filename(conffile_folder, "smtproute.conf", NULL);
}

void
conffile_write(const char *text, gsize length)
{
	g_autoptr(GError) error = NULL;

	g_file_set_contents(conffile_path, text, (gssize)length, &error);
	g_assert_no_error(error);
}

void
conffile_check_message(const char *message)
{
	g_assert_cmpuint(strlen(message), <, SETTINGS_ERROR_BYTES);
	for (const char *p = message; *p != '\0'; p++)
		g_assert_true(g_ascii_isprint(*p));
}

void
conffile_end(void)
{
	g_unlink(conffile_path);
	g_rmdir(conffile_folder);
	g_free(conffile_path);
	g_free(conffile_folder);
}
