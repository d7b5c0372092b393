/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What people want to know of an X.509 certificate.
 */
#ifndef SMTPROUTE_CERTIFICATE_H
#define SMTPROUTE_CERTIFICATE_H

#include <glib.h>

#include <openssl/x509.h>

/* Nothing is printable yet: a peer wrote it. */
struct certificate {
	char *subject;
	char *issuer;
	char *names; /* SANs: names and addresses, "none" without any */
	int days;    /* until it expires; negative: since */
};

/* FALSE: @x509 is NULL, or nonsense; nothing is to be freed. */
gboolean
certificate_read(struct certificate *certificate, X509 *x509);

/* Frees what it holds. */
void
certificate_clear(struct certificate *certificate);

#endif
