/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An endpoint: an IPv4 or IPv6 address with a port.
 */
#ifndef SMTPROUTE_ENDPOINT_H
#define SMTPROUTE_ENDPOINT_H

#include <netinet/in.h>
#include <sys/socket.h>

#include <glib.h>

struct endpoint {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} sa;
	socklen_t length;
};

#define ENDPOINT_PORT_SMTP 25

/* Room for an address as text, NUL included. */
#define ENDPOINT_TEXT_SIZE INET6_ADDRSTRLEN

/*
 * Parses a numeric address without brackets.  FALSE: it is none; *ret is
 * untouched.
 */
gboolean
endpoint_parse(const char *text, guint16 port, struct endpoint *ret);

/* Is it a numeric address without brackets? */
gboolean
endpoint_is_address(const char *text);

/* A numeric address as endpoint_text() writes it, a new string; NULL: none. */
char *
endpoint_canonical(const char *text);

/* The address as text, without brackets and port. */
void
endpoint_text(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_SIZE]);

guint16
endpoint_port(const struct endpoint *endpoint);

void
endpoint_set_port(struct endpoint *endpoint, guint16 port);

int
endpoint_family(const struct endpoint *endpoint);

gboolean
endpoint_equal(const struct endpoint *a, const struct endpoint *b);

#endif
