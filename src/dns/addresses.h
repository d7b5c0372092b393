/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host's name to its addresses.  Those of several hosts can be asked for at
 * the same time.
 */
#ifndef SMTPROUTE_ADDRESSES_H
#define SMTPROUTE_ADDRESSES_H

#include <glib.h>

#include "address/endpoint.h"
#include "address/family.h"
#include "dns/resolver.h"

/* What a careless zone may make us hold and try. */
#define ADDRESSES_MAX 32

struct address_question {
	const char *host;
	guint16 port;
	enum address_family family; /* no others are asked for */
	gboolean stranger; /* senders chose the name: DNS alone knows it */
};

/* A lookup under way. */
struct addresses;

/* Asks; @resolver must outlive the lookup. */
struct addresses *
addresses_ask(struct resolver *resolver,
    const struct address_question *question);

/*
 * The answer: from /etc/hosts, else from DNS.  When one family has addresses,
 * the other is waited for no more than a second: there are servers that never
 * answer about AAAA.  The family that can be reached better comes first
 * (RFC 6724) unless another order is set; if only one has an answer, that one.
 *
 * Returns a new array of struct endpoint, never empty, or NULL with
 * RESOLVE_ERROR.
 */
GArray *
addresses_wait(struct addresses *addresses, gint64 deadline, GError **error);

void
addresses_free(struct addresses *addresses);

/* For g_autoptr(), which wants one word. */
typedef struct addresses Addresses;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Addresses, addresses_free)

/* Both at once. */
GArray *
addresses_resolve(struct resolver *resolver,
    const struct address_question *question, gint64 deadline, GError **error);

#endif
