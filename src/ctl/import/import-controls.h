/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Destination Controls that the Email Security Appliance exports
 * ("destconfig", export): settings, not routes.
 */
#ifndef SMTPROUTE_CTL_IMPORT_CONTROLS_H
#define SMTPROUTE_CTL_IMPORT_CONTROLS_H

#include "ctl/ctl.h"

/* For --format. */
#define IMPORT_CONTROLS "esa-controls"

/*
 * Prints what can be said in smtproute.conf(5), and reports the rest.  @name:
 * the file's, printable.
 */
enum ctl_status
import_controls(const char *name, const char *text, gsize length);

/* Does it look like such a file? */
gboolean
import_is_controls(const char *text, gsize length);

#endif
