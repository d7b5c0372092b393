/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "agent/keeper.h"
#include "tls/tlssessions.h"
#include "util/deadline.h"
#include "util/secret.h"

/* As smtp_connection_cache_time_limit of Postfix. */
#define IDLE_SPAN (2 * G_USEC_PER_SEC)

/* One message after the other comes here, so few are of use. */
#define KEPT_MAX 20

/* What is summed up stays in a block of so many bytes (SHA-256's). */
#define BLOCK_SIZE 64

struct keeper {
	GPtrArray *kept; /* of struct kept, the oldest first */
	struct tls_sessions *sessions;
};

struct keeper *
keeper_new(void)
{
	struct keeper *keeper = g_new0(struct keeper, 1);

	keeper->kept =
	    g_ptr_array_new_with_free_func((GDestroyNotify)kept_free);
	keeper->sessions = tls_sessions_new();
	return keeper;
}

void
keeper_free(struct keeper *keeper)
{
	/* The connections first: they give their sessions back. */
	g_ptr_array_unref(keeper->kept);
	tls_sessions_free(keeper->sessions);
	g_free(keeper);
}

void
kept_free(struct kept *kept)
{
	wire_free(kept->wire);
	g_free(kept->name);
	g_free(kept->id);
	g_free(kept);
}

static char *
digest(const struct credentials *credentials)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	const char *parts[] = {credentials->profile, credentials->username,
	    credentials->password, credentials->token};
	static const guchar filler[BLOCK_SIZE];

	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		const char *part = parts[i] != NULL ? parts[i] : "";

		g_checksum_update(checksum, (const guchar *)part,
		    (gssize)strlen(part) + 1);
	}
	g_checksum_update(checksum, filler, sizeof(filler));
	return g_strdup(g_checksum_get_string(checksum));
}

static const char *
or_none(const char *text)
{
	return text != NULL ? text : "";
}

char *
keeper_id(const struct candidate *candidate, const char *helo_name,
    const struct credentials *credentials)
{
	const struct host_settings *settings = &candidate->settings;
	g_autofree char *who = NULL;

	if (credentials != NULL) {
		who = digest(credentials);
		secret_sweep();
	}
	return g_strjoin(" ", candidate->id, helo_name, who != NULL ? who : "-",
	    or_none(settings->tls_cert_file), or_none(settings->ehlo_ignore),
	    NULL);
}

char *
keeper_resume(struct keeper *keeper, const char *id, struct tls_policy *policy)
{
	char *session_id =
	    g_strdup_printf("%s %d %s %s", id, policy->min_protocol,
		or_none(policy->ca_file), or_none(policy->ciphers));

	policy->sessions = keeper->sessions;
	policy->session_id = session_id;
	return session_id;
}

struct kept *
keeper_take(struct keeper *keeper, const char *id)
{
	for (guint i = keeper->kept->len; i > 0; i--) {
		struct kept *kept = g_ptr_array_index(keeper->kept, i - 1);

		if (!g_str_equal(kept->id, id))
			continue;
		if (wire_is_idle(kept->wire) && deadline_left(kept->until) > 0)
			return g_ptr_array_steal_index(keeper->kept, i - 1);
		g_ptr_array_remove_index(keeper->kept, i - 1);
	}
	return NULL;
}

void
keeper_put(struct keeper *keeper, struct kept *kept, guint max_messages)
{
	if (!wire_is_idle(kept->wire) ||
	    wire_sent(kept->wire) >= max_messages) {
		kept_free(kept);
		return;
	}
	if (keeper->kept->len == KEPT_MAX)
		g_ptr_array_remove_index(keeper->kept, 0);
	kept->until = deadline_in(IDLE_SPAN);
	g_ptr_array_add(keeper->kept, kept);
}

gint64
keeper_expire(struct keeper *keeper)
{
	while (keeper->kept->len > 0) {
		const struct kept *kept = g_ptr_array_index(keeper->kept, 0);

		if (deadline_left(kept->until) > 0)
			return kept->until;
		g_ptr_array_remove_index(keeper->kept, 0);
	}
	return G_MAXINT64;
}

static gboolean
is_to(const struct kept *kept, const char *name, guint16 port)
{
	return kept->port == port && g_str_equal(kept->name, name);
}

guint
keeper_count(const struct keeper *keeper, const char *name, guint16 port)
{
	guint count = 0;

	for (guint i = 0; i < keeper->kept->len; i++)
		count += is_to(g_ptr_array_index(keeper->kept, i), name, port);
	return count;
}

void
keeper_close(struct keeper *keeper, const char *name, guint16 port, guint count)
{
	guint i = 0;

	while (i < keeper->kept->len && count > 0) {
		if (!is_to(g_ptr_array_index(keeper->kept, i), name, port)) {
			i++;
			continue;
		}
		g_ptr_array_remove_index(keeper->kept, i);
		count--;
	}
}
