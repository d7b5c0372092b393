/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long something takes, or has lasted, for people: "12 s", "5 min", "3 h",
 * "2 days".  Microseconds, not negative; new strings.
 */
#ifndef SMTPROUTE_CTL_DURATION_H
#define SMTPROUTE_CTL_DURATION_H

#include <glib.h>

/* To the nearest. */
char *
duration_words(gint64 span);

/* Rounded up: nothing is sooner than promised. */
char *
duration_words_up(gint64 span);

#endif
