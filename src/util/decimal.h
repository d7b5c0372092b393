/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers in what is made anew for every message: names and keys.  By formats
 * that would take ten times as long: a tenth of all that the agent does for a
 * message that comes by LMTP.
 */
#ifndef SMTPROUTE_DECIMAL_H
#define SMTPROUTE_DECIMAL_H

#include <glib.h>

/* Room for the longest, and a NUL. */
#define DECIMAL_SIZE 21

/* @number's digits, in @text somewhere. */
const char *
decimal(guint64 number, char text[DECIMAL_SIZE]);

#endif
