/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Credentials: what a profile of the settings, [auth NAME], stands for now.
 */
#ifndef SMTPROUTE_CREDENTIALS_H
#define SMTPROUTE_CREDENTIALS_H

#include <glib.h>

#include "conf/settings.h"

/* RFC 4954 section 4 has lines of 12,288 bytes for AUTH, in base64. */
#define TOKEN_MAX 8192

struct credentials {
	char *profile;
	char *username;
	char *password; /* a secret; NULL: there is a token */
	char *token;    /* a secret, of OAuth (RFC 6750); NULL: a password */
};

/*
 * Reads the profile's file, anew each time: another program may have changed
 * it.  From then on the process is protected (secret_protect()).
 *
 * NULL with an error, for verdict and log: there is no such profile, or its
 * secret cannot be had, or others could have it.
 */
struct credentials *
credentials_load(const struct settings *settings, const char *profile,
    GError **error);

/* What the client says with a token, before base64.  New secrets. */
char *
credentials_xoauth2(const struct credentials *credentials);

char *
credentials_oauthbearer(const struct credentials *credentials);

/*
 * A host may say what it was told.  Puts '*' over every piece of the secret,
 * or of a line of AUTH, in @text, which may be printable() already.
 * @credentials: NULL: there is nothing to hide.
 */
void
credentials_mask(const struct credentials *credentials, char *text);

void
credentials_free(struct credentials *credentials);

/* For g_autoptr(), which wants one word. */
typedef struct credentials Credentials;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Credentials, credentials_free)

#endif
