/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <openssl/ssl.h>

#include "tls/tlssessions.h"
#include "util/deadline.h"

/* As smtp_tls_session_cache_timeout of Postfix. */
#define RESUMED_SPAN (3600 * (gint64)G_USEC_PER_SEC)

/* A process has to do with few hosts; when there are more, all are dropped. */
#define SESSIONS_MAX 100

struct tls_sessions {
	GHashTable *all; /* of struct entry, by id */
};

struct entry {
	SSL_SESSION *session;
	gint64 until; /* as a deadline */
};

static void
entry_free(void *data)
{
	struct entry *entry = data;

	SSL_SESSION_free(entry->session);
	g_free(entry);
}

struct tls_sessions *
tls_sessions_new(void)
{
	struct tls_sessions *sessions = g_new0(struct tls_sessions, 1);

	sessions->all =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
	return sessions;
}

void
tls_sessions_free(struct tls_sessions *sessions)
{
	g_hash_table_unref(sessions->all);
	g_free(sessions);
}

void
tls_sessions_offer(const struct tls_sessions *sessions, const char *id,
    struct ssl_st *ssl)
{
	const struct entry *entry = g_hash_table_lookup(sessions->all, id);

	/* OpenSSL spoils those of connections that came to a bad end. */
	if (entry != NULL && deadline_left(entry->until) > 0 &&
	    SSL_SESSION_is_resumable(entry->session))
		SSL_set_session(ssl, entry->session);
}

void
tls_sessions_keep(struct tls_sessions *sessions, const char *id,
    struct ssl_st *ssl)
{
	const struct entry *old = g_hash_table_lookup(sessions->all, id);
	SSL_SESSION *session = SSL_get0_session(ssl);
	gint64 until = deadline_in(RESUMED_SPAN);
	struct entry *entry;

	if (session == NULL || !SSL_SESSION_is_resumable(session))
		return;
	/* Resumed again and again, it is as old as it was. */
	if (SSL_session_reused(ssl) == 1) {
		if (old == NULL)
			return;
		until = old->until;
	}
	entry = g_new0(struct entry, 1);
	entry->session = SSL_get1_session(ssl);
	entry->until = until;
	if (old == NULL && g_hash_table_size(sessions->all) >= SESSIONS_MAX)
		g_hash_table_remove_all(sessions->all);
	g_hash_table_replace(sessions->all, g_strdup(id), entry);
}

void
tls_sessions_forget(struct tls_sessions *sessions, const char *id)
{
	g_hash_table_remove(sessions->all, id);
}
