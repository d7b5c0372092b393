/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <glib/gstdio.h>

#include "ctl/ctl.h"
#include "ctl/scratch.h"

char *
scratch_make(void)
{
	g_autoptr(GError) error = NULL;
	char *folder = g_dir_make_tmp("smtproutectl-XXXXXX", &error);

	if (folder == NULL)
		complain("%s", error->message);
	return folder;
}

void
scratch_remove(const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *path = g_build_filename(folder, name, NULL);

		g_unlink(path);
	}
	g_rmdir(folder);
}
