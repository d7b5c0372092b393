/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The status page: what an administrator looks at first.
 */
#ifndef SMTPROUTE_CTL_PAGE_H
#define SMTPROUTE_CTL_PAGE_H

#include <glib.h>

#include "ctl/figures.h"
#include "ctl/serve/routelist.h"
#include "ctl/sight.h"

/* More hosts, or lines of routes, are counted only. */
#define PAGE_ROWS 200

struct page {
	gint64 now;                /* real time */
	const struct sight *sight; /* NULL: there is none */
	const GPtrArray *rows;     /* its hosts, worst first */
	const struct routelist *routes;
	const struct figures *figures;
	const char *complaints; /* lines, what is wrong */
};

/* All of it, as HTML. */
GString *
page_new(const struct page *page);

/* The table of hosts. */
void
page_add_hosts(GString *to, const struct page *page);

/* That of routes, and what waits in the queue. */
void
page_add_routes(GString *to, const struct page *page);

#endif
