/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last 24 hours of a host as small columns, one an hour, in SVG: what was
 * sent, deferred and bounced on each other, and failures hanging below the
 * line, so that they are told apart without colours.
 */
#ifndef SMTPROUTE_CTL_COLUMNS_H
#define SMTPROUTE_CTL_COLUMNS_H

#include <glib.h>

#include "hosts/hourly.h"

/* All of a kind within the day. */
guint64
columns_sum(const struct hourly *hourly, gint64 now, enum hourly_kind kind);

/* @now: real time; the rightmost column is of the hour that it is in. */
void
columns_add(GString *to, const struct hourly *hourly, gint64 now);

/* What the colours and places mean. */
void
columns_add_legend(GString *to);

#endif
