/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who else looks at what a test does to memory.
 */
#ifndef SMTPROUTE_WATCHED_H
#define SMTPROUTE_WATCHED_H

#include <string.h>

#include <glib.h>

static inline gboolean
watched_is_valgrind(void)
{
	const char *preloaded = g_getenv("LD_PRELOAD");

	return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

/*
 * How often to do what chance is in: under valgrind a tenth, since there it
 * takes 25 times as long and is about memory only.
 */
static inline guint
watched_times(guint times)
{
	return watched_is_valgrind() ? times / 10 : times;
}

/*
 * Skips a test under valgrind, which would report what is done on purpose, or
 * is far too slow.  TRUE: it is to return.
 */
static inline gboolean
watched_by_valgrind(void)
{
	if (!watched_is_valgrind())
		return FALSE;
	g_test_skip("not under valgrind");
	return TRUE;
}

/* The same for valgrind and sanitizers. */
static inline gboolean
watched_by_anybody(void)
{
#ifdef __SANITIZE_ADDRESS__
	g_test_skip("not with sanitizers");
	return TRUE;
#else
	return watched_by_valgrind();
#endif
}

#endif
