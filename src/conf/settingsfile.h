/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of settings, for a process that outlives a change of it.
 */
#ifndef SMTPROUTE_SETTINGSFILE_H
#define SMTPROUTE_SETTINGSFILE_H

#include <glib.h>

#include "conf/settings.h"

struct settingsfile;

/* @path must outlive it. */
struct settingsfile *
settingsfile_new(const char *path);

/*
 * The settings as the file has them now, which is read if it is another one
 * than before, by stat(2).  They stay valid until the next call.  NULL as
 * settings_load().
 */
const struct settings *
settingsfile_get(struct settingsfile *file, GError **error);

/* How often it was read so far. */
guint
settingsfile_reads(const struct settingsfile *file);

void
settingsfile_free(struct settingsfile *file);

typedef struct settingsfile Settingsfile;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settingsfile, settingsfile_free)

#endif
