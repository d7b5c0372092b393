/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "lmtp/parameter.h"
#include "lmtp/request.h"

static enum lmtp_verb
find_verb(const char *word, gsize length)
{
	static const struct {
		const char *word;
		enum lmtp_verb verb;
	} verbs[] = {
	    {"LHLO", LMTP_LHLO},
	    {"HELO", LMTP_HELO},
	    {"EHLO", LMTP_HELO},
	    {"MAIL", LMTP_MAIL},
	    {"RCPT", LMTP_RCPT},
	    {"DATA", LMTP_DATA},
	    {"RSET", LMTP_RSET},
	    {"NOOP", LMTP_NOOP},
	    {"VRFY", LMTP_VRFY},
	    {"QUIT", LMTP_QUIT},
	    {"XFORWARD", LMTP_XFORWARD},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
		if (lmtp_word_is(verbs[i].word, word, length))
			return verbs[i].verb;
	}
	return LMTP_UNKNOWN;
}

/* Behind "FROM:" or "TO:", which may have blanks around it. */
static const char *
skip_word(const char *text, const char *word)
{
	text += strspn(text, " ");
	if (g_ascii_strncasecmp(text, word, strlen(word)) != 0)
		return NULL;
	text += strlen(word);
	return text + strspn(text, " ");
}

/* The '>' that ends a path: not one in a quoted string. */
static const char *
find_path_end(const char *text)
{
	gboolean quoted = FALSE;

	for (; *text != '\0'; text++) {
		if (*text == '\\' && text[1] != '\0')
			text++;
		else if (*text == '"')
			quoted = !quoted;
		else if (*text == '>' && !quoted)
			return text;
	}
	return NULL;
}

/*
 * <path>; a source route is dropped (RFC 5321 appendix F.2).  *rest: what
 * follows.
 */
static char *
take_path(const char *text, const char **rest)
{
	const char *end;
	const char *colon;

	if (*text++ != '<')
		return NULL;
	end = find_path_end(text);
	if (end == NULL || (end[1] != '\0' && end[1] != ' '))
		return NULL;
	*rest = end + 1;
	colon = memchr(text, ':', (gsize)(end - text));
	if (*text == '@' && colon != NULL)
		text = colon + 1;
	return g_strndup(text, (gsize)(end - text));
}

static gboolean
parse_path(struct lmtp_request *request, const char *text, const char *word,
    struct lmtp_refusal *refusal)
{
	const char *rest = NULL;

	text = skip_word(text, word);
	if (text == NULL)
		return lmtp_refuse(refusal, 501,
		    "5.5.4 expected FROM:<> or TO:<>");
	request->path = take_path(text, &rest);
	if (request->path == NULL)
		return lmtp_refuse(refusal, 501,
		    "5.1.3 expected an address in <>");
	return parameters_parse(request, rest, refusal);
}

/* Nothing follows, or nothing that matters. */
static gboolean
parse_bare(const struct lmtp_request *request, const char *text,
    struct lmtp_refusal *refusal)
{
	gboolean empty = text[strspn(text, " ")] == '\0';

	switch (request->verb) {
	case LMTP_LHLO:
	case LMTP_VRFY:
		if (!empty)
			return TRUE;
		return lmtp_refuse(refusal, 501, "5.5.4 expected an argument");
	case LMTP_DATA:
	case LMTP_RSET:
	case LMTP_QUIT:
		if (empty)
			return TRUE;
		return lmtp_refuse(refusal, 501, "5.5.4 expected no argument");
	case LMTP_HELO:
		return lmtp_refuse(refusal, 500,
		    "5.5.1 this is LMTP: say LHLO");
	case LMTP_UNKNOWN:
		return lmtp_refuse(refusal, 500, "5.5.2 unknown command");
	default:
		return TRUE;
	}
}

gboolean
lmtp_request_parse(struct lmtp_request *request, const char *line,
    struct lmtp_refusal *refusal)
{
	gsize length = strcspn(line, " ");

	memset(request, 0, sizeof(*request));
	request->verb = find_verb(line, length);
	for (const char *p = line; *p != '\0'; p++) {
		if (g_ascii_iscntrl(*p))
			return lmtp_refuse(refusal, 500,
			    "5.5.2 control character in a command");
	}
	line += length;
	switch (request->verb) {
	case LMTP_MAIL:
		return parse_path(request, line, "FROM:", refusal);
	case LMTP_RCPT:
		return parse_path(request, line, "TO:", refusal);
	case LMTP_XFORWARD:
		return parameters_parse(request, line, refusal);
	default:
		return parse_bare(request, line, refusal);
	}
}

void
lmtp_request_clear(struct lmtp_request *request)
{
	g_clear_pointer(&request->path, g_free);
	g_clear_pointer(&request->dsn, g_free);
	g_clear_pointer(&request->ident, g_free);
}
