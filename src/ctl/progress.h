/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far a long piece of work has come, in one line of a terminal at stderr
 * that is written over; nothing elsewhere.
 */
#ifndef SMTPROUTE_CTL_PROGRESS_H
#define SMTPROUTE_CTL_PROGRESS_H

#include <glib.h>

/* "1234 routes ...", now and then. */
void
progress_say(guint count, const char *what);

/* Makes place for other text. */
void
progress_clear(void);

#endif
