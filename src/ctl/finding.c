/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <stdarg.h>

#include "ctl/ctl.h"
#include "ctl/finding.h"
#include "ctl/progress.h"
#include "util/printable.h"

/* Paths and text from files are in it. */
#define LINE_SHOWN 2000

static void
say_finding(struct findings *findings, enum severity severity, const char *text)
{
	g_autofree char *line = printable(text, LINE_SHOWN);

	findings->warnings += severity == SEVERITY_WARNING;
	findings->errors += severity == SEVERITY_ERROR;
	if (findings->silent)
		return;
	progress_clear();
	say("%s\n", line);
}

void
finding(struct findings *findings, enum severity severity, const char *where,
    const char *format, ...)
{
	static const char *const words[] = {
	    [SEVERITY_NOTE] = "note: ",
	    [SEVERITY_WARNING] = "warning: ",
	    [SEVERITY_ERROR] = "",
	};
	g_autofree char *what = NULL;
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	text = g_strconcat(where, ": ", words[severity], what, NULL);
	say_finding(findings, severity, text);
}

void
finding_error(struct findings *findings, const GError *error)
{
	say_finding(findings, SEVERITY_ERROR, error->message);
}
