/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values of samples, as Prometheus and OpenMetrics have them.
 */
#ifndef SMTPROUTE_CTL_MACHINE_H
#define SMTPROUTE_CTL_MACHINE_H

#include <glib.h>

/* Printable ASCII in double quotes, with a backslash before '"' and '\'. */
void
machine_text(GString *to, const char *text);

/* Microseconds as seconds, with six decimals. */
void
machine_seconds(GString *to, guint64 microseconds);

#endif
