/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS sessions that a process may resume (RFC 8446 section 2.2, RFC 5077): the
 * next handshake with the same host costs neither side a certificate.
 *
 * What was verified then is not verified again, so sessions are known by an id
 * in which all is that the policy demands, and none is resumed more than an
 * hour after its certificate was seen.
 */
#ifndef SMTPROUTE_TLSSESSIONS_H
#define SMTPROUTE_TLSSESSIONS_H

#include <glib.h>

struct ssl_st;
struct tls_sessions;

struct tls_sessions *
tls_sessions_new(void);

void
tls_sessions_free(struct tls_sessions *sessions);

/* Before the handshake: the host may resume the session, if there is one. */
void
tls_sessions_offer(const struct tls_sessions *sessions, const char *id,
    struct ssl_st *ssl);

/*
 * After the last byte: what the host gave for the next time.  Only of a
 * connection whose policy holds.
 */
void
tls_sessions_keep(struct tls_sessions *sessions, const char *id,
    struct ssl_st *ssl);

/* It is offered no more: a connection came to nothing. */
void
tls_sessions_forget(struct tls_sessions *sessions, const char *id);

#endif
