/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The halt between two messages of one session.  There libESMTP's thread, the
 * driver, stands still, and who has the session waits for it to: only then may
 * he touch what the driver reads.
 */
#ifndef SMTPROUTE_HALT_H
#define SMTPROUTE_HALT_H

#include <glib.h>

struct halt {
	GMutex lock; /* of what follows */
	GCond changed;
	gboolean wanted; /* behind the message under way */
	gboolean stands; /* the driver does */
	gboolean ended;  /* it will never again */
};

/* Not wanted yet. */
void
halt_init(struct halt *halt);

/* Once the driver has been joined, or where there was none. */
void
halt_clear(struct halt *halt);

/* The driver, behind a message: stands still, where it is wanted, until told.
 */
void
halt_make(struct halt *halt);

/* The driver, last of all. */
void
halt_end(struct halt *halt);

/* The driver shall stand still behind the message under way. */
void
halt_want(struct halt *halt);

/*
 * The driver goes on, or need not stand still.  @again: behind the message now
 * under way it shall.
 */
void
halt_lift(struct halt *halt, gboolean again);

/* Waits until the driver stands still.  FALSE: it has ended, or @deadline. */
gboolean
halt_await(struct halt *halt, gint64 deadline);

#endif
