/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Findings: what "smtproutectl check" says, a line or an object each, and
 * counts.
 */
#ifndef SMTPROUTE_CTL_FINDING_H
#define SMTPROUTE_CTL_FINDING_H

#include <glib.h>
#include <jansson.h>

enum severity {
	SEVERITY_NOTE, /* not counted */
	SEVERITY_WARNING,
	SEVERITY_ERROR,
};

struct findings {
	gboolean silent; /* count only */
	json_t *list;    /* an array to add objects to, in place of lines;
			  * NULL: lines */
	guint warnings;
	guint errors;
};

/*
 * Says "where: what", for an error, or "where: warning: what": with a file,
 * line and column in @where that is the form editors jump by.
 */
void
finding(struct findings *findings, enum severity severity, const char *where,
    const char *format, ...) G_GNUC_PRINTF(4, 5);

/* An error whose message says where. */
void
finding_error(struct findings *findings, const GError *error);

#endif
