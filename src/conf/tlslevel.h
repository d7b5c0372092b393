/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much TLS a host is to be given: the values of tls=.
 */
#ifndef SMTPROUTE_TLSLEVEL_H
#define SMTPROUTE_TLSLEVEL_H

#include <glib.h>

enum tls_level {
	TLS_UNSET, /* zero: not said here, a more general place decides */
	TLS_NONE,
	TLS_MAY,
	TLS_ENCRYPT,
	TLS_SECURE,
	TLS_DANE,
	TLS_WRAPPER,
};

/* For messages: the accepted values. */
#define TLS_LEVEL_NAMES "none, may, encrypt, secure, dane or wrapper"

/* FALSE: @name is none of the values; *ret is untouched. */
gboolean
tls_level_parse(const char *name, enum tls_level *ret);

const char *
tls_level_name(enum tls_level level);

#endif
