/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>
#include <unistd.h>

#include "ctl/progress.h"

/* What takes less than this is not worth a word. */
#define PERIOD (G_TIME_SPAN_SECOND / 4)

/* The clock is not asked at each step. */
#define STEPS 256

#define CLEAR "\r\033[K"

static gint64 next;
static gboolean shown;

static gboolean
is_wanted(void)
{
	static int terminal = -1;

	if (terminal < 0)
		terminal = isatty(STDERR_FILENO);
	return terminal == 1;
}

static void
put(const char *text)
{
	/* It is there to be looked at, nothing depends on it. */
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

void
progress_say(guint count, const char *what)
{
	g_autofree char *line = NULL;
	gint64 now;

	if (count % STEPS != 0 || !is_wanted())
		return;
	now = g_get_monotonic_time();
	if (next == 0)
		next = now + PERIOD;
	if (now < next)
		return;
	next = now + PERIOD;
	line = g_strdup_printf(CLEAR "%u %s ...", count, what);
	put(line);
	shown = TRUE;
}

void
progress_clear(void)
{
	if (shown)
		put(CLEAR);
	shown = FALSE;
}
