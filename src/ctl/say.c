/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only way to stdout and stderr; see ctl.h.
 */

#include <config.h>

#include <errno.h>
#include <stdio.h>

#include "ctl/ctl.h"

static struct {
	GString *said; /* NULL: nowhere else */
	GString *complaints;
} diverted;

void
say_divert(GString *said, GString *complaints)
{
	diverted.said = said;
	diverted.complaints = complaints;
}

void
say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (diverted.said != NULL)
		g_string_append_vprintf(diverted.said, format, ap);
	else
		vprintf(format, ap);
	va_end(ap);
}

static void
keep_complaint(const char *format, va_list ap) G_GNUC_PRINTF(1, 0);

static void
keep_complaint(const char *format, va_list ap)
{
	g_string_append_vprintf(diverted.complaints, format, ap);
	g_string_append_c(diverted.complaints, '\n');
}

static void
print_complaint(const char *format, va_list ap) G_GNUC_PRINTF(1, 0);

static void
print_complaint(const char *format, va_list ap)
{
	/* In the order of things, where both go to one place. */
	fflush(stdout);
	fputs("smtproutectl: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
}

void
complain(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (diverted.complaints != NULL)
		keep_complaint(format, ap);
	else
		print_complaint(format, ap);
	va_end(ap);
}

gboolean
say_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return TRUE;
	complain("standard output: %s", g_strerror(errno));
	return FALSE;
}
