/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <time.h>

#include "hosts/health.h"
#include "util/ticket.h"

#define JITTER_PART 5

gint64
health_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

gboolean
health_is_up(const struct health *health)
{
	return health->due == 0;
}

gint64
health_wait(const struct health *health, const struct health_limits *limits,
    gint64 now)
{
	gint64 wait = health->due - now;

	/* Of a clock before this one, or of settings before these. */
	if (wait > limits->max + limits->max / JITTER_PART)
		return 0;
	return MAX(wait, 0);
}

gint64
health_fail(struct health *health, const struct health_limits *limits,
    gint64 now, gboolean probed)
{
	gint64 span;

	if (!health_is_up(health) && !probed)
		return 0;
	if (health_is_up(health))
		health->since = g_get_real_time();
	/* What was read may be near overflowing. */
	health->interval = CLAMP(MIN(health->interval, limits->max) * 2,
	    limits->min, limits->max);
	span = health->interval +
	    (gint64)((double)(health->interval / JITTER_PART) *
		g_random_double());
	health->due = now + span;
	health->prober = 0;
	health->lease = 0;
	return span;
}

void
health_admit(struct health *health)
{
	if (!health_is_up(health))
		health->up = health_now();
	health->due = 0;
	health->prober = 0;
	health->lease = 0;
}

void
health_succeed(struct health *health)
{
	health_admit(health);
	*health = (struct health){.up = health->up};
}

gboolean
health_was_up(const struct health *health, gint64 then)
{
	/* What is ahead is of a clock before this one. */
	return health_is_up(health) &&
	    (health->up <= then || health->up > health_now());
}

gboolean
health_is_probed(const struct health *health, int fd, gint64 now)
{
	return health->prober != 0 && now < health->lease &&
	    ticket_is_alive(fd, health->prober);
}

gboolean
health_retry(struct health *health)
{
	if (health_is_up(health))
		return FALSE;
	health_succeed(health);
	return TRUE;
}
