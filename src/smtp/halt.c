/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "smtp/halt.h"

void
halt_init(struct halt *halt)
{
	*halt = (struct halt){.wanted = FALSE};
	g_mutex_init(&halt->lock);
	g_cond_init(&halt->changed);
}

void
halt_clear(struct halt *halt)
{
	g_mutex_clear(&halt->lock);
	g_cond_clear(&halt->changed);
}

/*
 * In all of these the signal comes without the lock, or who wakes up would have
 * to wait for that.
 */
void
halt_make(struct halt *halt)
{
	g_mutex_lock(&halt->lock);
	halt->stands = halt->wanted;
	g_mutex_unlock(&halt->lock);
	g_cond_signal(&halt->changed);
	g_mutex_lock(&halt->lock);
	while (halt->stands)
		g_cond_wait(&halt->changed, &halt->lock);
	g_mutex_unlock(&halt->lock);
}

void
halt_end(struct halt *halt)
{
	g_mutex_lock(&halt->lock);
	halt->ended = TRUE;
	g_mutex_unlock(&halt->lock);
	g_cond_signal(&halt->changed);
}

/* Nobody waits for this. */
void
halt_want(struct halt *halt)
{
	g_mutex_lock(&halt->lock);
	halt->wanted = TRUE;
	g_mutex_unlock(&halt->lock);
}

void
halt_lift(struct halt *halt, gboolean again)
{
	g_mutex_lock(&halt->lock);
	halt->wanted = again;
	halt->stands = FALSE;
	g_mutex_unlock(&halt->lock);
	g_cond_signal(&halt->changed);
}

gboolean
halt_await(struct halt *halt, gint64 deadline)
{
	gboolean stands;

	g_mutex_lock(&halt->lock);
	while (!halt->stands && !halt->ended &&
	    g_cond_wait_until(&halt->changed, &halt->lock, deadline))
		continue;
	stands = halt->stands;
	g_mutex_unlock(&halt->lock);
	return stands;
}
