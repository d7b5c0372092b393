/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is to be seen of all hosts at a time: those of the route map and what
 * the shared state has of them.
 */
#ifndef SMTPROUTE_CTL_SIGHT_H
#define SMTPROUTE_CTL_SIGHT_H

#include <glib.h>

#include "ctl/ctl.h"
#include "ctl/hostlist.h"

struct sight {
	struct hostlist *list; /* by name and port */
	gboolean usable;       /* can the state be read, and kept? */
	gboolean agent;        /* are we who keeps it? */
	GError *error;         /* it cannot even be read; NULL: it can */
};

/*
 * Looks at them, and becomes the agent on the way (ctl_become_agent()).
 * @before, @visit, @data: as for hostlist_new().  NULL: complain() has said
 * why; it has said, too, what is wrong with the map, or with the room for the
 * state.
 */
struct sight *
sight_new(const struct ctl *ctl, const struct settings *settings,
    GBytes *before, hostlist_visit *visit, void *data);

/* Is any host remembered? */
gboolean
sight_has_memory(const struct sight *sight);

/*
 * The hosts that are shown unless others are named, of struct hostrow: all but
 * those that have left the map for long, and those that only DNS has named,
 * unless @all; how many these are is *ret_strangers.  A new array; the rows are
 * the list's.
 */
GPtrArray *
sight_rows(const struct sight *sight, gboolean all, guint *ret_strangers);

/*
 * Has the state forget hosts that have left the map for long
 * (hostrow_is_gone()), which nobody else can tell.  What does not work is left
 * for another time.
 */
void
sight_forget_gone(const struct sight *sight, const struct settings *settings);

/* What is wrong in general, for people; NULL: nothing. */
const char *
sight_trouble(const struct sight *sight);

void
sight_free(struct sight *sight);

/* For g_autoptr(), which wants one word. */
typedef struct sight Sight;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sight, sight_free)

#endif
