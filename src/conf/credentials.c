/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "conf/credentials.h"
#include "util/printable.h"
#include "util/secret.h"

/* As much of a secret as nobody says by chance. */
#define PIECE_MIN 8

static gboolean
load_secret(struct credentials *credentials, const struct settings *settings,
    const struct auth_profile *profile, GError **error)
{
	if (profile->token_file != NULL) {
		credentials->token = secret_read(profile->token_file, TOKEN_MAX,
		    settings->secret_modes, error);
		return credentials->token != NULL;
	}
	if (profile->password_file != NULL) {
		credentials->password = secret_read(profile->password_file,
		    AUTH_TEXT_MAX, settings->secret_modes, error);
		return credentials->password != NULL;
	}
	/* It stands in the settings. */
	if (!secret_check(settings->path, settings->secret_modes, error))
		return FALSE;
	credentials->password =
	    secret_new(profile->password, strlen(profile->password));
	return TRUE;
}

struct credentials *
credentials_load(const struct settings *settings, const char *profile,
    GError **error)
{
	const struct auth_profile *found = settings_auth(settings, profile);
	g_autoptr(Credentials) credentials = NULL;

	if (found == NULL) {
		g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_KEY,
		    "%s has no [auth %s]", settings->path, profile);
		return NULL;
	}
	secret_protect();
	credentials = g_new0(struct credentials, 1);
	credentials->profile = g_strdup(profile);
	credentials->username = g_strdup(found->username);
	if (!load_secret(credentials, settings, found, error))
		return NULL;
	return g_steal_pointer(&credentials);
}

/* A saslname (RFC 5801 section 4), a new string. */
static char *
quote_name(const char *name)
{
	GString *quoted = g_string_new(NULL);

	for (const char *p = name; *p != '\0'; p++) {
		if (*p == ',')
			g_string_append(quoted, "=2C");
		else if (*p == '=')
			g_string_append(quoted, "=3D");
		else
			g_string_append_c(quoted, *p);
	}
	return g_string_free(quoted, FALSE);
}

/* Google's and Microsoft's, which has no RFC. */
char *
credentials_xoauth2(const struct credentials *credentials)
{
	return g_strdup_printf("user=%s\001auth=Bearer %s\001\001",
	    credentials->username, credentials->token);
}

/* RFC 7628 section 3.1. */
char *
credentials_oauthbearer(const struct credentials *credentials)
{
	g_autofree char *name = quote_name(credentials->username);

	return g_strdup_printf("n,a=%s,\001auth=Bearer %s\001\001", name,
	    credentials->token);
}

/* What is said, and what of it may be seen. */
struct masked {
	const char *said;
	char *seen;
};

/* Every piece of PIECE_MIN bytes, or the whole form if it is shorter. */
static void
mask_form(const struct masked *masked, const char *form)
{
	gsize said = strlen(masked->said);
	gsize size = strlen(form);
	gsize piece = MIN(size, PIECE_MIN);

	for (gsize i = 0; i + piece <= said; i++) {
		if (memmem(form, size, masked->said + i, piece) != NULL)
			memset(masked->seen + i, '*', piece);
	}
}

static void
mask_encoded(const struct masked *masked, const char *form, gsize length)
{
	g_autoptr(Secret) encoded =
	    g_base64_encode((const guchar *)form, length);

	mask_form(masked, encoded);
}

static void
mask_secret(const struct masked *masked, const char *secret)
{
	g_autoptr(Secret) shown = printable(secret, strlen(secret));

	mask_form(masked, secret);
	mask_form(masked, shown);
	mask_encoded(masked, secret, strlen(secret));
}

static void
mask_plain(const struct masked *masked, const struct credentials *credentials)
{
	g_autoptr(Secret) response = g_strdup_printf("-%s-%s",
	    credentials->username, credentials->password);
	gsize length = strlen(response);
	gsize second = strlen(credentials->username) + 1;

	/* RFC 4616 section 2. */
	response[0] = '\0';
	response[second] = '\0';
	mask_encoded(masked, response, length);
	response[0] = '-';
	response[second] = '-';
}

static void
mask_token(const struct masked *masked, const struct credentials *credentials)
{
	g_autoptr(Secret) xoauth2 = credentials_xoauth2(credentials);
	g_autoptr(Secret) oauthbearer = credentials_oauthbearer(credentials);

	mask_encoded(masked, xoauth2, strlen(xoauth2));
	mask_encoded(masked, oauthbearer, strlen(oauthbearer));
}

void
credentials_mask(const struct credentials *credentials, char *text)
{
	g_autoptr(Secret) said = g_strdup(text);
	const struct masked masked = {said, text};

	if (credentials == NULL || text == NULL)
		return;
	if (credentials->password != NULL) {
		mask_secret(&masked, credentials->password);
		mask_plain(&masked, credentials);
	} else {
		mask_secret(&masked, credentials->token);
		mask_token(&masked, credentials);
	}
}

void
credentials_free(struct credentials *credentials)
{
	if (credentials == NULL)
		return;
	secret_free(credentials->password);
	secret_free(credentials->token);
	g_free(credentials->username);
	g_free(credentials->profile);
	g_free(credentials);
}
