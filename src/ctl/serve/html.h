/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text in HTML.
 */
#ifndef SMTPROUTE_CTL_HTML_H
#define SMTPROUTE_CTL_HTML_H

#include <glib.h>

/*
 * Appends @text, whoever wrote it, as the content of an element or of an
 * attribute in quotes: one line of printable ASCII, as everywhere else, cut to
 * some hundred letters, with references for what means something in HTML.
 */
void
html_text(GString *to, const char *text);

/* "12 345", with blanks that do not break. */
void
html_count(GString *to, guint64 count);

/* A moment as people read it, and as programs do. */
void
html_time(GString *to, gint64 time);

#endif
