/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Brackets in the name of a group.  GLib takes none, but a host is named as
 * the route map has it, and there an IPv6 address with a port has brackets:
 * "[host [2001:db8::1]:25]".  So GLib is given other letters in their place.
 */
#ifndef SMTPROUTE_BRACKETS_H
#define SMTPROUTE_BRACKETS_H

#include <glib.h>

/*
 * The text of a key file for GLib, line by line as it was: a group [host ...]
 * may have one pair of brackets, right behind the blank.  A new string; @text
 * has no NUL within @length.
 */
char *
brackets_hide_all(const char *text, gsize length);

/* The name of a group as GLib has it then, a new string. */
char *
brackets_hide(const char *group);

#endif
