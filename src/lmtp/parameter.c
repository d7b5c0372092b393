/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "lmtp/parameter.h"

/*
 * Each takes the value of one parameter, "" if it has none, or returns FALSE.
 */

static gboolean
take_size(struct lmtp_request *request G_GNUC_UNUSED, const char *value)
{
	/* RFC 1870 section 4: up to 20 digits. */
	return *value != '\0' && strlen(value) <= 20 &&
	    value[strspn(value, G_CSET_DIGITS)] == '\0';
}

/* What the content is, it says itself. */
static gboolean
take_body(struct lmtp_request *request G_GNUC_UNUSED, const char *value)
{
	return g_ascii_strcasecmp(value, "7BIT") == 0 ||
	    g_ascii_strcasecmp(value, "8BITMIME") == 0;
}

static gboolean
take_smtputf8(struct lmtp_request *request, const char *value)
{
	request->smtputf8 = TRUE;
	return *value == '\0';
}

static gboolean
take_ret(struct lmtp_request *request G_GNUC_UNUSED, const char *value)
{
	return g_ascii_strcasecmp(value, "FULL") == 0 ||
	    g_ascii_strcasecmp(value, "HDRS") == 0;
}

/* RFC 3461 section 4: '+' begins two upper case hexadecimal digits. */
static gboolean
is_xtext(const char *text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *text != '\0'; text++) {
		if (!g_ascii_isgraph(*text) || *text == '=')
			return FALSE;
		if (*text != '+')
			continue;
		for (int i = 0; i < 2; i++) {
			if (*++text == '\0' || strchr(digits, *text) == NULL)
				return FALSE;
		}
	}
	return TRUE;
}

static gboolean
take_envid(struct lmtp_request *request G_GNUC_UNUSED, const char *value)
{
	return *value != '\0' && is_xtext(value);
}

/* NEVER, or some of the others (RFC 3461 section 4.1). */
static gboolean
take_notify(struct lmtp_request *request, const char *value)
{
	static const char *const known[] = {"SUCCESS", "FAILURE", "DELAY",
	    NULL};
	g_autofree char *upper = g_ascii_strup(value, -1);
	g_auto(GStrv) words = g_strsplit(upper, ",", -1);

	if (g_str_equal(upper, "NEVER"))
		return TRUE;
	for (gsize i = 0; words[i] != NULL; i++) {
		if (!g_strv_contains(known, words[i]))
			return FALSE;
	}
	request->success =
	    g_strv_contains((const char *const *)words, "SUCCESS");
	return words[0] != NULL;
}

/*
 * type;address.  An address of the type utf-8 may be UTF-8 as it is (RFC 6533
 * section 3), with SMTPUTF8.
 */
static gboolean
take_orcpt(struct lmtp_request *request G_GNUC_UNUSED, const char *value)
{
	const char *semicolon = strchr(value, ';');

	if (semicolon == NULL || semicolon == value || semicolon[1] == '\0')
		return FALSE;
	if (!g_str_is_ascii(value))
		return g_ascii_strncasecmp(value, "utf-8;", 6) == 0 &&
		    g_utf8_validate(value, -1, NULL);
	return is_xtext(value);
}

static gboolean
ignore(struct lmtp_request *request G_GNUC_UNUSED,
    const char *value G_GNUC_UNUSED)
{
	return TRUE;
}

/* For the log; whatever it is, the log makes it printable. */
static gboolean
take_ident(struct lmtp_request *request, const char *value)
{
	GString *ident = g_string_new(NULL);

	if (!is_xtext(value)) {
		g_string_free(ident, TRUE);
		return FALSE;
	}
	for (; *value != '\0'; value++) {
		char octet = *value;

		if (octet == '+') {
			octet = (char)(g_ascii_xdigit_value(value[1]) * 16 +
			    g_ascii_xdigit_value(value[2]));
			value += 2;
		}
		g_string_append_c(ident, octet != '\0' ? octet : '?');
	}
	g_free(request->ident);
	request->ident = g_string_free(ident, FALSE);
	return TRUE;
}

static const struct parameter {
	enum lmtp_verb verb;
	const char *keyword;
	gboolean is_dsn; /* goes on as the client wrote it */
	gboolean (*take)(struct lmtp_request *request, const char *value);
} table[] = {
    {LMTP_MAIL, "SIZE", FALSE, take_size},
    {LMTP_MAIL, "BODY", FALSE, take_body},
    {LMTP_MAIL, "SMTPUTF8", FALSE, take_smtputf8},
    {LMTP_MAIL, "RET", TRUE, take_ret},
    {LMTP_MAIL, "ENVID", TRUE, take_envid},
    {LMTP_RCPT, "NOTIFY", TRUE, take_notify},
    {LMTP_RCPT, "ORCPT", TRUE, take_orcpt},
    /* XFORWARD_README of Postfix; only one of them is of use. */
    {LMTP_XFORWARD, "IDENT", FALSE, take_ident},
    {LMTP_XFORWARD, "NAME", FALSE, ignore},
    {LMTP_XFORWARD, "ADDR", FALSE, ignore},
    {LMTP_XFORWARD, "PORT", FALSE, ignore},
    {LMTP_XFORWARD, "PROTO", FALSE, ignore},
    {LMTP_XFORWARD, "HELO", FALSE, ignore},
    {LMTP_XFORWARD, "SOURCE", FALSE, ignore},
};

gboolean
lmtp_word_is(const char *known, const char *word, gsize length)
{
	return g_ascii_strncasecmp(known, word, length) == 0 &&
	    known[length] == '\0';
}

static const struct parameter *
find_parameter(enum lmtp_verb verb, const char *keyword, gsize length)
{
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		if (table[i].verb == verb &&
		    lmtp_word_is(table[i].keyword, keyword, length))
			return &table[i];
	}
	return NULL;
}

gboolean
lmtp_refuse(struct lmtp_refusal *refusal, int code, const char *text)
{
	refusal->code = code;
	refusal->text = text;
	return FALSE;
}

static void
add_dsn(struct lmtp_request *request, const char *word)
{
	g_autofree char *before = request->dsn;

	request->dsn =
	    g_strconcat(before != NULL ? before : "", " ", word, NULL);
}

/* @seen: a bit for each row of the table. */
static gboolean
take_word(struct lmtp_request *request, const char *word, guint *seen,
    struct lmtp_refusal *refusal)
{
	gsize length = strcspn(word, "=");
	const char *value = word[length] != '\0' ? word + length + 1 : "";
	const struct parameter *parameter =
	    find_parameter(request->verb, word, length);
	guint bit;

	/* RFC 5321 section 4.1.1.11. */
	if (parameter == NULL)
		return lmtp_refuse(refusal, 555, "5.5.4 unknown parameter");
	bit = 1U << (parameter - table);
	if ((*seen & bit) != 0 || strlen(word) > PARAMETER_MAX ||
	    !parameter->take(request, value))
		return lmtp_refuse(refusal, 501, "5.5.4 bad parameter");
	*seen |= bit;
	if (parameter->is_dsn)
		add_dsn(request, word);
	return TRUE;
}

gboolean
parameters_parse(struct lmtp_request *request, const char *text,
    struct lmtp_refusal *refusal)
{
	guint seen = 0;

	for (text += strspn(text, " "); *text != '\0';
	     text += strspn(text, " ")) {
		gsize length = strcspn(text, " ");
		g_autofree char *word = g_strndup(text, length);

		if (!take_word(request, word, &seen, refusal))
			return FALSE;
		text += length;
	}
	return TRUE;
}
