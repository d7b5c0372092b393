/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "conf/settingsfile.h"
#include "util/unchanged.h"

struct settingsfile {
	const char *path;
	struct stat read; /* what it was when it was read */
	struct settings *settings;
	guint reads;
};

struct settingsfile *
settingsfile_new(const char *path)
{
	struct settingsfile *file = g_new0(struct settingsfile, 1);

	file->path = path;
	return file;
}

void
settingsfile_free(struct settingsfile *file)
{
	g_clear_pointer(&file->settings, settings_free);
	g_free(file);
}

const struct settings *
settingsfile_get(struct settingsfile *file, GError **error)
{
	struct stat now;
	/* Before it is read: a change meanwhile is seen by the next call. */
	gboolean known = stat(file->path, &now) == 0;

	if (known && file->settings != NULL && unchanged(&file->read, &now))
		return file->settings;
	g_clear_pointer(&file->settings, settings_free);
	file->reads++;
	file->settings = settings_load(file->path, error);
	file->read = known ? now : (struct stat){0};
	return file->settings;
}

guint
settingsfile_reads(const struct settingsfile *file)
{
	return file->reads;
}
