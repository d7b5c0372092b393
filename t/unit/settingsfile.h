/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One file of settings, in a folder of its own, which the tests of a program
 * write anew and again.
 */
#ifndef SMTPROUTE_SETTINGSFILE_H
#define SMTPROUTE_SETTINGSFILE_H

#include <glib.h>

extern char *settingsfile_folder;
extern char *settingsfile_path;

/*
 * Makes the folder, and failed assertions nonfatal, so that it is removed
 * whatever happens.
 */
void
settingsfile_begin(void);

void
settingsfile_write(const char *text, gsize length);

/* What settings.h promises of every message. */
void
settingsfile_check_message(const char *message);

void
settingsfile_end(void);

#endif
