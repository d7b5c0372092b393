/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names to mail exchangers and addresses, by c-ares.  Every lookup has a
 * deadline.
 */
#ifndef SMTPROUTE_RESOLVE_H
#define SMTPROUTE_RESOLVE_H

#include <glib.h>

#include "endpoint.h"

/* What a hostile or careless zone may make us hold and try. */
#define RESOLVE_MX_MAX      64
#define RESOLVE_ADDRESS_MAX 32

#define RESOLVE_ERROR (resolve_error_quark())

enum resolve_error {
	RESOLVE_ERROR_TEMPORARY, /* no answer, SERVFAIL, time-out, no memory */
	RESOLVE_ERROR_NOT_FOUND, /* no such name, or no such record */
	RESOLVE_ERROR_NULL_MX,   /* RFC 7505: takes no mail */
};

GQuark
resolve_error_quark(void);

struct mx {
	char *host; /* canonical */
	guint16 preference;
};

struct resolver;

/*
 * @dns_servers: "address[:port],...", NULL for the system's.  Costs nothing
 * until the first lookup.
 */
struct resolver *
resolver_new(const char *dns_servers);

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
 * The addresses of @host, with @port, in the order in which they are to be
 * tried (RFC 6724): from /etc/hosts, else from DNS.  If only one family has an
 * answer, that one's.
 *
 * Returns a new array of struct endpoint, never empty, or NULL with
 * RESOLVE_ERROR.
 */
GArray *
resolve_addresses(struct resolver *resolver, const char *host, guint16 port,
    gint64 deadline, GError **error);

/*
 * This machine's full name: the host name, completed from /etc/hosts or DNS
 * if it has no dot; without one if neither knows more.  Returns a new string.
 */
char *
resolve_own_name(struct resolver *resolver, gint64 deadline);

void
resolver_free(struct resolver *resolver);

/* For g_autoptr(), which wants one word. */
typedef struct resolver Resolver;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Resolver, resolver_free)

#endif
