/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Icons of the status page: a shape for each state, since colours alone are
 * not seen by all.
 */
#ifndef SMTPROUTE_CTL_ICON_H
#define SMTPROUTE_CTL_ICON_H

#include <glib.h>

#include "ctl/hostlist.h"

enum icon {
	ICON_GOOD,
	ICON_WARN,
	ICON_BAD,
	ICON_IDLE,
};

/* A shape before words that say the same, and in their colour. */
void
icon_add(GString *to, enum icon icon);

/* The page's own, in its head. */
void
icon_add_link(GString *to, enum icon icon);

/* "good", "warn", "bad", "faint": its class in the style. */
const char *
icon_class(enum icon icon);

/* What the shape is for a host. */
enum icon
icon_of_host(const struct hostrow *row);

#endif
