/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A route from text that may hold anything.
 */
#ifndef SMTPROUTE_ROUTETEXT_H
#define SMTPROUTE_ROUTETEXT_H

#include "route/route.h"

/* Text that may hold NUL, and its length. */
#define TEXT(literal) literal, sizeof(literal) - 1

/*
 * Parses a copy that ends where it ends, for the sanitizer to guard; the
 * text's origin is "test", @line and @column.
 */
struct route *
routetext_parse(const char *text, gsize length, unsigned line, unsigned column,
    GError **error);

#endif
