/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The health of a host: up, or down until it is due for a probe, which one
 * process makes with its own message.
 *
 * Times are of CLOCK_BOOTTIME, in microseconds: the same for all processes,
 * and not to be set.  Restarting the machine sets it back, so a time that is
 * too far ahead to be true counts as passed.
 */
#ifndef SMTPROUTE_HEALTH_H
#define SMTPROUTE_HEALTH_H

#include <glib.h>

/* For how long a host is down. */
struct health_limits {
	gint64 min; /* at first; doubles with every probe that fails */
	gint64 max;
};

/* All zero: up. */
struct health {
	gint64 due;      /* when it may be probed, 0: it is up */
	gint64 interval; /* the last one since a success, without jitter */
	gint64 since;    /* when it went down, real time */
	guint64 prober;  /* its ticket (ticket.h), 0: nobody */
	gint64 lease;    /* the prober's time is over then */
	gint64 up;       /* when it came up last, 0: it was never down */
};

/* The time as all this counts it. */
gint64
health_now(void);

gboolean
health_is_up(const struct health *health);

/* Until it is due; 0: it is up or due. */
gint64
health_wait(const struct health *health, const struct health_limits *limits,
    gint64 now);

/*
 * A failure.  Of a host that is down only its prober's counts: the others
 * have begun before it went down.  Returns for how long it is down from now
 * on, 0: nothing has changed.
 *
 * The jitter only adds (up to a fifth), so that no host is contacted before
 * its time.
 */
gint64
health_fail(struct health *health, const struct health_limits *limits,
    gint64 now, gboolean probed);

/*
 * It is up, but if it fails before health_succeed() it is down for twice as
 * long as before.
 */
void
health_admit(struct health *health);

/* It is up. */
void
health_succeed(struct health *health);

/*
 * Was it up at that time, and ever since?  Who set out before it came up has
 * learnt nothing new.
 */
gboolean
health_was_up(const struct health *health, gint64 then);

/* Is its prober at work?  @fd: see ticket_is_alive(). */
gboolean
health_is_probed(const struct health *health, int fd, gint64 now);

/* It is up, as if it had never failed.  FALSE: it was up already. */
gboolean
health_retry(struct health *health);

#endif
