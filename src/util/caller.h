/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whoever started this process, hands it the message and waits for the
 * verdict: pipe(8).  When it dies, its end of the message's pipe is closed
 * like that of a message which is complete.
 */
#ifndef SMTPROUTE_CALLER_H
#define SMTPROUTE_CALLER_H

#include <glib.h>

/* In words. */
#define CALLER_GONE "the program that handed over the message has ended"

/*
 * Remembers who it is.  To be called first of all; @verdict is where the
 * verdict goes, -1: nowhere.
 */
void
caller_watch(int verdict);

/*
 * Only who reads is watched from now on: with LMTP the end of a message cannot
 * be mistaken, and the process that started us, spawn(8), only waits.
 */
void
caller_watch_reader(void);

/* Has it ended?  FALSE if nobody is watched. */
gboolean
caller_is_gone(void);

/*
 * Has it, or is it about to, its input closed already?  If not, an end of input
 * that was seen before was no accident.  Dearer: proc(5) has to tell.
 */
gboolean
caller_is_going(void);

#endif
