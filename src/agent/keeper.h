/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper of connections that are open after a message, for the next one to
 * the same host, and of the TLS sessions of those that are not any more.
 */
#ifndef SMTPROUTE_KEEPER_H
#define SMTPROUTE_KEEPER_H

#include <glib.h>

#include "agent/plan.h"
#include "conf/credentials.h"
#include "smtp/wire.h"
#include "tls/tlspolicy.h"

struct keeper;

/* A connection, and what the log says of it. */
struct kept {
	struct wire *wire;
	char *name;   /* of the destination */
	guint16 port; /* likewise */
	guint64 dcid;
	char interface[ENDPOINT_TEXT_SIZE];
	char *id;     /* keeper_id() */
	gint64 until; /* as a deadline; it is closed then */
};

struct keeper *
keeper_new(void);

/*
 * What has to be the same for a connection to be used: address and port, how
 * TLS and AUTH are done, who we are.  A new string, with a digest of the
 * secret in it.  The settings are not: with others there is another keeper.
 */
char *
keeper_id(const struct candidate *candidate, const char *helo_name,
    const struct credentials *credentials);

/*
 * Has new connections resume the TLS sessions of earlier ones with the same
 * @id, if the policy is the same, too.  Returns what they are known by, which
 * @policy needs, a new string.
 */
char *
keeper_resume(struct keeper *keeper, const char *id, struct tls_policy *policy);

/* One that is alive, which is the caller's; NULL: there is none. */
struct kept *
keeper_take(struct keeper *keeper, const char *id);

/* @kept, which may be not idle, is the keeper's from now on. */
void
keeper_put(struct keeper *keeper, struct kept *kept, guint max_messages);

/*
 * Closes what was idle for too long.  Returns when it wants to be called
 * again, as a deadline.
 */
gint64
keeper_expire(struct keeper *keeper);

/* How many there are to a destination. */
guint
keeper_count(const struct keeper *keeper, const char *name, guint16 port);

/* Closes the oldest @count of them. */
void
keeper_close(struct keeper *keeper, const char *name, guint16 port,
    guint count);

void
kept_free(struct kept *kept);

void
keeper_free(struct keeper *keeper);

typedef struct keeper Keeper;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Keeper, keeper_free)

#endif
