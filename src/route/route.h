/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One route: the value of an entry in the route map, an inline route, or
 * what a table of Postfix served.  smtproute_routes(5) has the grammar.
 */
#ifndef SMTPROUTE_ROUTE_H
#define SMTPROUTE_ROUTE_H

#include <glib.h>

#include "conf/tlslevel.h"
#include "util/rate.h"

#define ROUTE_ERROR (route_error_quark())

enum route_error {
	ROUTE_ERROR_SYNTAX,
	ROUTE_ERROR_TOO_MANY, /* destinations */
};

GQuark
route_error_quark(void);

enum destination_kind {
	DESTINATION_NAME,    /* name: MX, then addresses */
	DESTINATION_HOST,    /* [name]: addresses only */
	DESTINATION_ADDRESS, /* a literal IPv4 or IPv6 address */
};

struct destination {
	enum destination_kind kind;
	char *name;   /* canonical, without brackets */
	guint16 port; /* 25, with lmtp 24, with tls=wrapper 465, unless given */
	guint16 priority;
	guint weight;
	enum tls_level tls; /* TLS_UNSET: not given */
	char *auth;         /* NULL: not given; so are the next two */
	char *bind;
	char *tls_name;
	struct rates rate; /* of transactions */
	struct rates rate_recipients;
	gboolean drain;
	gboolean verify;
	gboolean lmtp; /* it speaks LMTP (RFC 2033) */
};

enum route_kind {
	ROUTE_HOSTS,
	ROUTE_DNS,     /* USEDNS: the recipient domain's own MX */
	ROUTE_DISCARD, /* /dev/null */
};

struct route {
	enum route_kind kind;
	GPtrArray *destinations; /* of struct destination, as written */
	char *key;               /* as the map has it; NULL: inline route */
	unsigned line;           /* of the map, 0: it has none, inline route */
};

/* A route of the kind ROUTE_DNS; in any case. */
#define ROUTE_KEYWORD_DNS "USEDNS"

/* Where a route's text stands, for messages. */
struct route_origin {
	const char *name; /* a file, or what else it is: "inline route" */
	unsigned line;    /* from 1 */
	unsigned column;  /* from 1, in bytes */
};

/* "name:line:column" or "name: column N", a new string. */
char *
route_place(const struct route_origin *origin);

/* What one message may have us try: no route is meant to be longer. */
#define ROUTE_DESTINATIONS_MAX 1000

/*
 * Parses @length bytes of @text.  Line ends, and whole comment lines after
 * the first line, count as blanks (Postfix's readlline(3) form).
 *
 * On failure NULL and "name:line:column: what; expected ...", or without
 * lines "name: column N: what; expected ...".
 */
struct route *
route_parse(const char *text, gsize length, const struct route_origin *origin,
    GError **error);

void
route_free(struct route *route);

/* For g_autoptr(), which wants one word. */
typedef struct route Route;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Route, route_free)

#endif
