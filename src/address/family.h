/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of IPv4 and IPv6 are used for a host, and which comes first.
 */
#ifndef SMTPROUTE_FAMILY_H
#define SMTPROUTE_FAMILY_H

#include <glib.h>

enum address_family {
	FAMILY_UNSET, /* zero: not said here, a more general place decides */
	FAMILY_ANY,
	FAMILY_IPV4,
	FAMILY_IPV6,
	FAMILY_PREFER_IPV4,
	FAMILY_PREFER_IPV6,
};

/* The names that family_parse() knows, for messages. */
#define FAMILY_NAMES "any, ipv4, ipv6, prefer-ipv4 or prefer-ipv6"

/* FALSE: @text is none of them, *ret is untouched. */
gboolean
family_parse(const char *text, enum address_family *ret);

/* As family_parse() takes it. */
const char *
family_name(enum address_family family);

/* May addresses of @af (AF_INET, AF_INET6) be used? */
gboolean
family_has(enum address_family family, int af);

#endif
