/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text from elsewhere - a peer, a library, the command line - made fit for
 * one line of a log or a verdict.
 */
#ifndef SMTPROUTE_PRINTABLE_H
#define SMTPROUTE_PRINTABLE_H

#include <glib.h>

/*
 * A new string of at most @max bytes: GLib's typographic quotes and other
 * non-ASCII letters as ASCII, tabs and line ends as one blank, every other
 * unprintable byte as '?'.  What was cut ends in "...".
 */
char *
printable(const char *text, gsize max);

#endif
