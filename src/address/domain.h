/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains as an address, a route's key or a host's name carries them.
 */
#ifndef SMTPROUTE_DOMAIN_H
#define SMTPROUTE_DOMAIN_H

#include <glib.h>

#define DOMAIN_ERROR (domain_error_quark())

enum domain_error {
	DOMAIN_ERROR_SYNTAX,
};

GQuark
domain_error_quark(void);

/*
 * The one form in which domains are compared: lower case, A-labels (RFC 5890)
 * for U-labels, no trailing dot.  Labels of letters, digits, '-' and '_', at
 * most 63 bytes each and 253 in all (RFC 1035 section 2.3.4); not all digits
 * in the last one, since that is a misspelt IPv4 address.
 *
 * Returns a new string, or NULL with DOMAIN_ERROR_SYNTAX.
 */
char *
domain_canonical(const char *text, GError **error);

/*
 * The same for an address literal (RFC 5321 section 4.1.3), brackets
 * included: "[192.0.2.1]" or "[ipv6:2001:db8::1]", the address as
 * inet_ntop(3) writes it.  "[2001:db8::1]" without the tag is taken too.
 */
char *
domain_literal_canonical(const char *text, GError **error);

/*
 * "name:port", or "[2001:db8::1]:port": a host as messages name it and routes
 * take it.  A new string.
 */
char *
domain_with_port(const char *name, guint16 port);

#endif
