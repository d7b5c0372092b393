/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "conf/wordlist.h"
#include "smtp/offer.h"

/*
 * libESMTP loads a plug-in by the mechanism's name, but installs this one
 * without the hyphen; what it says to the host is the plug-in's own name.
 */
#define CRAM_MD5 " CRAM-MD5 CRAMMD5"

/*
 * SIZE's parameter (RFC 1870 section 4): a number, 0 or none for no limit.
 * What is not a number is no limit either.
 */
static guint64
parse_size(const char *parameter)
{
	g_autofree char *number = g_strstrip(g_strdup(parameter));
	guint64 size = 0;

	g_ascii_string_to_unsigned(number, 10, 0, G_MAXUINT64, &size, NULL);
	return size;
}

static guint
parse_mechanisms(const char *parameter)
{
	static const struct {
		const char *name;
		enum mechanism mechanism;
	} names[] = {
	    {"PLAIN", MECHANISM_PLAIN},
	    {"LOGIN", MECHANISM_LOGIN},
	    {"CRAM-MD5", MECHANISM_CRAM_MD5},
	    {"XOAUTH2", MECHANISM_XOAUTH2},
	    {"OAUTHBEARER", MECHANISM_OAUTHBEARER},
	};
	g_auto(GStrv) words = g_strsplit_set(parameter, " \t", -1);
	guint mechanisms = 0;

	for (gsize i = 0; words[i] != NULL; i++) {
		for (gsize j = 0; j < G_N_ELEMENTS(names); j++) {
			if (g_ascii_strcasecmp(words[i], names[j].name) == 0)
				mechanisms |= names[j].mechanism;
		}
	}
	return mechanisms;
}

static void
parse_auth(struct offer *offer, const char *parameter)
{
	g_autofree char *text = g_strstrip(g_strdup(parameter));

	offer->mechanisms |= parse_mechanisms(text);
	if (offer->auth[0] == '\0')
		g_strlcpy(offer->auth, text, sizeof(offer->auth));
}

/* AUTH is in both of its forms. */
static gboolean
is_ignored(const char *keyword, const char *ignore)
{
	if (ignore == NULL)
		return FALSE;
	return wordlist_has(ignore,
	    g_str_has_prefix(keyword, "AUTH=") ? "AUTH" : keyword);
}

struct offer
offer_parse(const struct reply *reply, const char *ignore)
{
	struct offer offer = {0};

	for (guint i = 1; i < reply->lines->len; i++) {
		const char *line = g_ptr_array_index(reply->lines, i);
		gsize length = strcspn(line, " \t");
		g_autofree char *keyword = g_ascii_strup(line, length);

		if (is_ignored(keyword, ignore))
			continue;
		if (g_str_equal(keyword, "8BITMIME")) {
			offer.eightbitmime = TRUE;
		} else if (g_str_equal(keyword, "PIPELINING")) {
			offer.pipelining = TRUE;
		} else if (g_str_equal(keyword, "SIZE")) {
			offer.size = TRUE;
			offer.size_limit = parse_size(line + length);
		} else if (g_str_equal(keyword, "STARTTLS")) {
			offer.starttls = TRUE;
		} else if (g_str_equal(keyword, "DSN")) {
			offer.dsn = TRUE;
		} else if (g_str_equal(keyword, "SMTPUTF8")) {
			offer.smtputf8 = TRUE;
		} else if (g_str_equal(keyword, "AUTH")) {
			parse_auth(&offer, line + length);
		} else if (g_str_has_prefix(keyword, "AUTH=")) {
			/* Of before RFC 2554; some hosts have no other. */
			parse_auth(&offer, line + strlen("AUTH="));
		}
	}
	return offer;
}

char *
offer_format(const struct offer *offer, guint mechanisms, gboolean secured)
{
	gboolean cram = (mechanisms & MECHANISM_CRAM_MD5) != 0;
	g_autofree char *auth = NULL;

	auth = g_strconcat("250-AUTH", cram && !secured ? CRAM_MD5 : "",
	    mechanisms & MECHANISM_PLAIN ? " PLAIN" : "",
	    mechanisms & MECHANISM_LOGIN ? " LOGIN" : "",
	    cram && secured ? CRAM_MD5 : "", "\r\n", NULL);
	/* libESMTP takes no keyword from the first line. */
	return g_strconcat("250--\r\n",
	    offer->pipelining ? "250-PIPELINING\r\n" : "",
	    mechanisms != 0 ? auth : "", "250 -\r\n", NULL);
}
