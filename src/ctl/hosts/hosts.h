/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The forms that "smtproutectl hosts" has; each says rows of hostlist.h.
 */
#ifndef SMTPROUTE_CTL_HOSTS_H
#define SMTPROUTE_CTL_HOSTS_H

#include <glib.h>

#include "ctl/ctl.h"
#include "ctl/figures.h"
#include "ctl/hostlist.h"

/* What a table has, unless a terminal has less. */
#define HOSTS_WIDTH 80

struct hosts_view {
	const struct ctl *ctl;
	guint width;
	gboolean watched;   /* the summary comes first, and there are rates */
	GHashTable *before; /* deliveries by label, guint64, of a moment ago;
			     * NULL: there was none */
	gint64 span;        /* how long ago */
};

/* Deliveries by label, for view->before. */
GHashTable *
hosts_deliveries(const GPtrArray *rows);

/*
 * For people: a line for each host, worst first, a summary, and the last errors
 * below.
 */
void
hosts_say_table(const struct hosts_view *view, const GPtrArray *rows);

/* An array of objects; smtproutectl(8) has the keys. */
void
hosts_say_json(const GPtrArray *rows);

enum metrics {
	METRICS_TEXT, /* Prometheus's text format */
	METRICS_OPEN, /* OpenMetrics 1.0 */
};

void
hosts_say_metrics(enum metrics form, const GPtrArray *rows,
    const struct figures *figures);

/*
 * One line, with figures, and an exit status by the Monitoring Plugins
 * Development Guidelines: 0 OK; 1 WARNING, some are down, or there is @trouble
 * (NULL: none); 2 CRITICAL, all are that could get mail.
 */
enum ctl_status
hosts_say_check(const GPtrArray *rows, const char *trouble);

#endif
