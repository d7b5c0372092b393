/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linked by "make check-tsan": what of GLib it would take for races.  Its locks
 * are made of POSIX threads' ones here; its own are futexes in a library that
 * ThreadSanitizer does not look into.
 */
#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include <glib.h>

const char *
__tsan_default_suppressions(void);

/* Of G_DEFINE_QUARK(): whoever comes first, all write the same number. */
const char *
__tsan_default_suppressions(void)
{
	return "race:_error_quark$\n";
}

void
g_mutex_init(GMutex *mutex)
{
	mutex->p = g_new(pthread_mutex_t, 1);
	pthread_mutex_init(mutex->p, NULL);
}

void
g_mutex_clear(GMutex *mutex)
{
	pthread_mutex_destroy(mutex->p);
	g_free(mutex->p);
}

void
g_mutex_lock(GMutex *mutex)
{
	pthread_mutex_lock(mutex->p);
}

void
g_mutex_unlock(GMutex *mutex)
{
	pthread_mutex_unlock(mutex->p);
}

void
g_cond_init(GCond *cond)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	cond->p = g_new(pthread_cond_t, 1);
	pthread_cond_init(cond->p, &attributes);
	pthread_condattr_destroy(&attributes);
}

void
g_cond_clear(GCond *cond)
{
	pthread_cond_destroy(cond->p);
	g_free(cond->p);
}

void
g_cond_signal(GCond *cond)
{
	pthread_cond_signal(cond->p);
}

void
g_cond_wait(GCond *cond, GMutex *mutex)
{
	pthread_cond_wait(cond->p, mutex->p);
}

gboolean
g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end)
{
	struct timespec until = {
	    .tv_sec = end / G_USEC_PER_SEC,
	    .tv_nsec = end % G_USEC_PER_SEC * 1000,
	};

	return pthread_cond_timedwait(cond->p, mutex->p, &until) != ETIMEDOUT;
}
