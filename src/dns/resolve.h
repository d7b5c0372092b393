/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names to mail exchangers, and this machine's own name, by c-ares.  Every
 * lookup has a deadline.
 */
#ifndef SMTPROUTE_RESOLVE_H
#define SMTPROUTE_RESOLVE_H

#include <glib.h>

#include "dns/resolver.h"

/* What a hostile or careless zone may make us hold and try. */
#define RESOLVE_MX_MAX 64

struct mx {
	char *host; /* canonical */
	guint16 preference;
};

/*
 * The mail exchangers of @domain (never completed with a search domain),
 * sorted by preference, equal ones shuffled; unusable ones are left out.
 * RESOLVE_ERROR_NOT_FOUND says that there are none, so that RFC 5321 section
 * 5.1 has the domain's own addresses tried.
 *
 * Returns a new array of struct mx, or NULL with RESOLVE_ERROR.
 */
GPtrArray *
resolve_mx(struct resolver *resolver, const char *domain, gint64 deadline,
    GError **error);

/*
 * This machine's full name: the host name, completed from /etc/hosts or DNS
 * if it has no dot; without one if neither knows more.  Returns a new string.
 */
char *
resolve_own_name(struct resolver *resolver, gint64 deadline);

#endif
