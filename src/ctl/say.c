/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only way to stdout and stderr; see ctl.h.
 */

#include <config.h>

#include <errno.h>
#include <stdio.h>

#include "ctl/ctl.h"

void
say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
}

void
complain(const char *format, ...)
{
	va_list ap;

	/* In the order of things, where both go to one place. */
	fflush(stdout);
	fputs("smtproutectl: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

gboolean
say_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return TRUE;
	complain("standard output: %s", g_strerror(errno));
	return FALSE;
}
