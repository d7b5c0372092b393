/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unknown domains: USEDNS, and DNS says that there is nobody to take mail.
 */
#ifndef SMTPROUTE_UNKNOWN_H
#define SMTPROUTE_UNKNOWN_H

#include <glib.h>

#include "conf/settings.h"
#include "dns/resolver.h"

/*
 * The enhanced code to bounce with, since what @error (of RESOLVE or EXPANSION)
 * says of a domain is final: DNS is not of our making there.  NULL: it is not.
 */
const char *
unknown_dsn(const GError *error);

/*
 * Does DNS say so of @domain?  TRUE with an error that has an unknown_dsn().
 * FALSE: it may take mail, or DNS does not say until @deadline.
 */
gboolean
unknown_ask(struct resolver *resolver, const struct settings *settings,
    const char *domain, gint64 deadline, GError **error);

#endif
