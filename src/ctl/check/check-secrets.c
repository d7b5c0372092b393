/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the settings have for TLS and AUTH, line by line, and the files that
 * they name, as the agent's user sees them.  Secrets are read, but not shown.
 */
#include <config.h>

#include <string.h>

#include "conf/authname.h"
#include "conf/credentials.h"
#include "ctl/check/check-secrets.h"
#include "tls/tlscontext.h"
#include "util/secret.h"

/* The settings, group by group. */
struct review {
	struct check *check;
	const char *group; /* that is looked at */
};

static void
say_line(const struct review *review, enum severity severity, const char *key,
    const char *what)
{
	g_autofree char *where =
	    keyfile_place(review->check->keyfile, review->group, key);

	finding(&review->check->findings, severity, where, "%s", what);
}

/* The key's value in the group, a new string; NULL: none, or at fault. */
static char *
value_of(const struct review *review, const char *group, const char *key)
{
	const struct keyfile *keyfile = review->check->keyfile;
	guint line = keyfile_line(keyfile, group, key);

	if (line == 0 || keyfile_has_fault(keyfile, line))
		return NULL;
	return keyfile_value(keyfile, group, key);
}

/* What is to be tried as the agent. */
struct trial {
	const struct settings *settings;
	const char *profile;
	const char *ca_file;
	const char *cert_file;
	const char *key_file;
	GError *error; /* NULL: it went well */
};

static void
try_credentials(gpointer data)
{
	struct trial *trial = data;

	credentials_free(
	    credentials_load(trial->settings, trial->profile, &trial->error));
}

static void
try_ca_file(gpointer data)
{
	struct trial *trial = data;

	tls_context_check(trial->ca_file, NULL, &trial->error);
}

static void
try_certificate(gpointer data)
{
	struct trial *trial = data;

	tls_context_check_certificate(trial->cert_file, trial->key_file,
	    trial->settings->secret_modes, &trial->error);
}

/* What is to be done about it, for what does not say so. */
static char *
expected(const struct review *review, const GError *error, gboolean token)
{
	if (g_error_matches(error, SECRET_ERROR, SECRET_ERROR_UNSAFE))
		return g_strdup("");
	if (g_error_matches(error, SECRET_ERROR, SECRET_ERROR_FILE))
		return g_strdup_printf("; expected a file that user %s can "
				       "read",
		    review->check->agent->name);
	return g_strdup_printf("; expected the %s alone, in one line",
	    token ? "token" : "password");
}

/* That the agent cannot read the settings check-files.c says. */
static void
say_unsafe_settings(const struct review *review, const GError *error)
{
	const char *path = review->check->settings->path;
	const char *why = error->message;
	g_autofree char *what = NULL;

	if (!g_error_matches(error, SECRET_ERROR, SECRET_ERROR_UNSAFE))
		return;
	if (g_str_has_prefix(why, path))
		why += strlen(path) + strlen(": ");
	what = g_strdup_printf("a password stands here: %s", why);
	say_line(review, SEVERITY_ERROR, "password", what);
}

static void
check_credentials(const struct review *review,
    const struct auth_profile *profile, const char *name)
{
	struct trial trial = {
	    .settings = review->check->settings,
	    .profile = name,
	};
	gboolean token = profile->token_file != NULL;
	g_autofree char *end = NULL;
	g_autofree char *what = NULL;

	if (!agent_act(review->check->agent, try_credentials, &trial) ||
	    trial.error == NULL)
		return;
	if (profile->token_file == NULL && profile->password_file == NULL) {
		say_unsafe_settings(review, trial.error);
	} else {
		end = expected(review, trial.error, token);
		what = g_strconcat(trial.error->message, end, NULL);
		say_line(review, SEVERITY_ERROR,
		    token ? "token-file" : "password-file", what);
	}
	g_error_free(trial.error);
}

static void
check_profile(const struct review *review, const char *name)
{
	struct check *check = review->check;
	const struct auth_profile *profile =
	    settings_auth(check->settings, name);
	g_autofree char *id = authname_canonical(name);
	g_autofree char *what = NULL;

	if (profile == NULL)
		return;
	if (check->whole && !g_hash_table_contains(check->profiles, id)) {
		what = g_strdup_printf("no route or [host] has auth = %s; "
				       "expected one, or no such profile",
		    name);
		say_line(review, SEVERITY_WARNING, NULL, what);
	}
	if (check->agent != NULL &&
	    (profile->token_file != NULL || profile->password_file != NULL ||
		profile->password != NULL))
		check_credentials(review, profile, name);
}

static void
check_ca_file(const struct review *review)
{
	g_autofree char *path = value_of(review, review->group, "tls-ca-file");
	struct trial trial = {.ca_file = path};
	g_autofree char *what = NULL;

	if (path == NULL || path[0] == '\0' || review->check->agent == NULL ||
	    !agent_act(review->check->agent, try_ca_file, &trial) ||
	    trial.error == NULL)
		return;
	what = g_strdup_printf("%s; expected a file with certificates (PEM) "
			       "that user %s can read",
	    trial.error->message, review->check->agent->name);
	say_line(review, SEVERITY_ERROR, "tls-ca-file", what);
	g_error_free(trial.error);
}

/* A key of its own may stand in a more general group. */
static void
check_certificate(const struct review *review)
{
	const struct check *check = review->check;
	g_autofree char *cert =
	    value_of(review, review->group, "tls-cert-file");
	g_autofree char *key = value_of(review, review->group, "tls-key-file");
	const char *general = check->settings->defaults.tls_key_file;
	struct trial trial = {.settings = check->settings,
	    .cert_file = cert,
	    .key_file = key != NULL ? key : general};
	g_autofree char *what = NULL;

	if (cert == NULL || cert[0] == '\0' || check->agent == NULL)
		return;
	if (trial.key_file[0] == '\0')
		trial.key_file = NULL;
	if (!agent_act(check->agent, try_certificate, &trial) ||
	    trial.error == NULL)
		return;
	what = g_strdup_printf("%s; expected files (PEM) of a certificate and "
			       "its key that user %s can read",
	    trial.error->message, check->agent->name);
	say_line(review, SEVERITY_ERROR, "tls-cert-file", what);
	g_error_free(trial.error);
}

static void
check_ciphers(const struct review *review)
{
	g_autofree char *ciphers =
	    value_of(review, review->group, "tls-ciphers");
	g_autofree char *what = NULL;
	g_autoptr(GError) error = NULL;

	if (ciphers == NULL || ciphers[0] == '\0' ||
	    tls_context_check(NULL, ciphers, &error))
		return;
	what = g_strdup_printf("%s; expected a list as of openssl-ciphers(1)",
	    error->message);
	say_line(review, SEVERITY_ERROR, "tls-ciphers", what);
}

static void
check_clear_text(const struct review *review)
{
	g_autofree char *answer =
	    value_of(review, review->group, "auth-in-clear");

	if (g_strcmp0(answer, "yes") == 0)
		say_line(review, SEVERITY_WARNING, "auth-in-clear",
		    "passwords and tokens may go over the wire in clear text; "
		    "expected no");
}

static void
check_group(const struct review *review)
{
	if (g_str_has_prefix(review->group, "auth ")) {
		check_profile(review, review->group + strlen("auth "));
		return;
	}
	check_ca_file(review);
	check_certificate(review);
	check_ciphers(review);
	check_clear_text(review);
}

/* Routes are not alone in that. */
static void
note_profiles(const struct review *review, const GPtrArray *groups)
{
	for (guint i = 0; i < groups->len; i++) {
		g_autofree char *name =
		    value_of(review, groups->pdata[i], "auth");

		if (name != NULL)
			g_hash_table_add(review->check->profiles,
			    authname_canonical(name));
	}
}

void
check_secrets(struct check *check)
{
	struct review review = {check, NULL};
	const GPtrArray *groups = keyfile_groups(check->keyfile);

	if (check->settings == NULL)
		return;
	note_profiles(&review, groups);
	for (guint i = 0; i < groups->len; i++) {
		review.group = groups->pdata[i];
		check_group(&review);
	}
}
