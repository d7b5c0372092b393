/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * c-ares, asked one question at a time, each with a deadline.
 */
#ifndef SMTPROUTE_RESOLVER_H
#define SMTPROUTE_RESOLVER_H

#include <glib.h>

#include <ares.h>

#define RESOLVE_ERROR (resolve_error_quark())

enum resolve_error {
	RESOLVE_ERROR_TEMPORARY, /* no answer, SERVFAIL, time-out, no memory */
	RESOLVE_ERROR_NOT_FOUND, /* no such name, or no such record */
	RESOLVE_ERROR_NULL_MX,   /* RFC 7505: takes no mail */
	RESOLVE_ERROR_FAMILY,    /* no address of the family that is used */
};

GQuark
resolve_error_quark(void);

struct resolver;

/*
 * @dns_servers: "address[:port],...", NULL for the system's.  Costs nothing
 * until the first lookup.
 */
struct resolver *
resolver_new(const char *dns_servers);

/* The same for names that are to be completed with search domains. */
struct resolver *
resolver_new_searching(const struct resolver *resolver);

/*
 * Has the next lookup read the system's set-up again, if that has changed since
 * it was.  Not amid a lookup.
 */
void
resolver_renew(struct resolver *resolver);

/*
 * Takes an answer whose response code is a success.  Returns a status of
 * c-ares: ARES_ENODATA, for one, if it lacks the records asked for.
 */
typedef int (
    *resolver_take)(const unsigned char *message, gsize length, void *data);

/*
 * Asks for the records of @type (of arpa/nameser.h) that @name has; it is never
 * completed with a search domain.  @missing: see resolver_set_error().  FALSE
 * with RESOLVE_ERROR.
 */
gboolean
resolver_ask(struct resolver *resolver, const char *name, int type,
    gint64 deadline, resolver_take take, void *data, const char *missing,
    GError **error);

/*
 * For DNS alone, but with search domains /etc/hosts comes first.  NULL: c-ares
 * cannot be set up.
 */
ares_channel
resolver_open(struct resolver *resolver, GError **error);

/* The same for /etc/hosts alone, which is read at once. */
ares_channel
resolver_open_file(struct resolver *resolver, GError **error);

/*
 * Waits for answers until @deadline, or until c-ares wants to ask again.
 * FALSE: it is no use, all questions are ended.
 */
gboolean
resolver_turn(struct resolver *resolver, gint64 deadline);

/* Until when to wait for the answer to what was asked at @begun. */
gint64
resolver_until(const struct resolver *resolver, gint64 begun, gint64 deadline);

/* Until a callback has set *done, which it does at @deadline at the latest. */
void
resolver_wait(struct resolver *resolver, const gboolean *done, gint64 deadline);

/* Are all servers on this machine?  Only when it is open. */
gboolean
resolver_is_local(struct resolver *resolver);

/* Is it a status of c-ares that says that there is no such thing? */
gboolean
resolver_is_not_found(int status);

/*
 * Puts a status of c-ares into words.  @begun: when the question was asked;
 * @missing: what a name without the records asked for has not.
 */
void
resolver_set_error(int status, gint64 begun, const char *missing,
    GError **error);

void
resolver_free(struct resolver *resolver);

/* For g_autoptr(), which wants one word. */
typedef struct resolver Resolver;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Resolver, resolver_free)

#endif
