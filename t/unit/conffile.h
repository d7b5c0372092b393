/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One file of settings, in a folder of its own, which the tests of a program
 * write anew and again.
 */
#ifndef SMTPROUTE_CONFFILE_H
#define SMTPROUTE_CONFFILE_H

#include <glib.h>

extern char *conffile_folder;
extern char *conffile_path;

/*
 * Makes the folder, and failed assertions nonfatal, so that it is removed
 * whatever happens.
 */
void
conffile_begin(void);

void
conffile_write(const char *text, gsize length);

/* What settings.h promises of every message. */
void
conffile_check_message(const char *message);

void
conffile_end(void);

#endif
