/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the status page looks, and what a browser may do with it.
 */
#ifndef SMTPROUTE_CTL_STYLE_H
#define SMTPROUTE_CTL_STYLE_H

#include <glib.h>

/* The content of its only style element. */
const char *
style_text(void);

/*
 * The Content-Security-Policy of the page, a new string: nothing but this very
 * style, and images that the page has within itself.
 */
char *
style_policy(void);

#endif
