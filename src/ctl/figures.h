/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What there is to measure of a gateway as a whole.
 */
#ifndef SMTPROUTE_CTL_FIGURES_H
#define SMTPROUTE_CTL_FIGURES_H

#include <glib.h>

#include "conf/settings.h"
#include "ctl/sight.h"
#include "hosts/backlog.h"

struct figures {
	gboolean state;          /* can it be read, and kept? */
	gboolean map;            /* could all of the route map be read? */
	gboolean log;            /* can lines be written to it? */
	guint strangers;         /* hosts that are not shown */
	struct backlog *backlog; /* NULL: nobody knows */
};

/* @strangers: of sight_rows(). */
struct figures *
figures_new(const struct settings *settings, const struct sight *sight,
    guint strangers);

void
figures_free(struct figures *figures);

/* For g_autoptr(), which wants one word. */
typedef struct figures Figures;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Figures, figures_free)

#endif
