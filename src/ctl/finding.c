/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <stdarg.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/document.h"
#include "ctl/finding.h"
#include "ctl/progress.h"
#include "util/printable.h"

/* Paths and text from files are in it. */
#define LINE_SHOWN 2000

/* What stands before a finding that is no error. */
static const char *const words[] = {
    [SEVERITY_NOTE] = "note",
    [SEVERITY_WARNING] = "warning",
    [SEVERITY_ERROR] = "error",
};

static void
count(struct findings *findings, enum severity severity)
{
	findings->warnings += severity == SEVERITY_WARNING;
	findings->errors += severity == SEVERITY_ERROR;
}

static void
say_line(const char *text)
{
	g_autofree char *line = printable(text, LINE_SHOWN);

	progress_clear();
	say("%s\n", line);
}

/*
 * Cuts ":NUMBER" off the end of @where.  FALSE: there is none; *ret is
 * untouched.
 */
static gboolean
cut_number(char *where, guint64 *ret)
{
	char *colon = strrchr(where, ':');

	if (colon == NULL ||
	    !g_ascii_string_to_unsigned(colon + 1, 10, 1, G_MAXUINT32, ret,
		NULL))
		return FALSE;
	*colon = '\0';
	return TRUE;
}

/* "path", "path:line" or "path:line:column". */
static void
set_place(json_t *to, const char *where)
{
	g_autofree char *path = g_strdup(where);
	guint64 line = 0;
	guint64 column = 0;
	gboolean lined = cut_number(path, &column);
	gboolean both = lined && cut_number(path, &line);

	document_set_text(to, "where", path);
	document_set_count_if(to, "line", lined, both ? line : column);
	document_set_count_if(to, "column", both, column);
}

static void
add_object(const struct findings *findings, enum severity severity,
    const char *where, const char *what)
{
	json_t *to = document_add_object(findings->list);

	document_set_text(to, "severity", words[severity]);
	set_place(to, where);
	document_set_text(to, "message", what);
}

void
finding(struct findings *findings, enum severity severity, const char *where,
    const char *format, ...)
{
	gboolean plain = severity == SEVERITY_ERROR;
	g_autofree char *what = NULL;
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	count(findings, severity);
	if (findings->list != NULL) {
		add_object(findings, severity, where, what);
	} else if (!findings->silent) {
		text = g_strconcat(where, ": ", plain ? "" : words[severity],
		    plain ? "" : ": ", what, NULL);
		say_line(text);
	}
}

void
finding_error(struct findings *findings, const GError *error)
{
	g_auto(GStrv) parts = g_strsplit(error->message, ": ", 2);

	count(findings, SEVERITY_ERROR);
	if (findings->list == NULL && !findings->silent)
		say_line(error->message);
	else if (findings->list != NULL)
		add_object(findings, SEVERITY_ERROR,
		    parts[1] != NULL ? parts[0] : "",
		    parts[1] != NULL ? parts[1] : error->message);
}
