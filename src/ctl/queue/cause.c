/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The form is that of agent/passedover.c and smtp/outcome.c: parts with "; "
 * between them, each of which begins with a peer, "host[address]:port: " or
 * "host:port: ".  A host's reply may have the like in it: then it is shown as
 * that host, no worse.
 */
#include <config.h>

#include <string.h>

#include "address/domain.h"
#include "ctl/queue/cause.h"
#include "util/printable.h"

#define SEPARATOR "; "

/* More hosts than a text has room for names. */
#define CAUSES_MAX 100

/* As much of a text as is kept. */
#define TEXT_MAX 300

/* What is left out, with all that is behind it in the part. */
static const char *const variables[] = {", next try in ", ", free in ",
    ", being probed"};

/* Parts that say nothing of a host. */
static const char *const remarks[] = {"next try in ", "being probed"};

static void
cause_free(gpointer data)
{
	struct cause *cause = data;

	g_free(cause->host);
	g_free(cause->text);
	g_free(cause);
}

static gboolean
is_name(const char *text, gsize length)
{
	for (gsize i = 0; i < length; i++) {
		if (!g_ascii_isalnum(text[i]) &&
		    strchr(".-_:", text[i]) == NULL)
			return FALSE;
	}
	return length > 0;
}

/*
 * "name:port" of the peer that @text begins with, a new string; *ret_length is
 * that of the peer with its colon and blank.  NULL: it begins with none.
 */
static char *
peer_at(const char *text, gsize *ret_length)
{
	gsize word = strcspn(text, " ");
	g_autofree char *peer = NULL;
	const char *name;
	guint64 port;
	char *colon;
	char *end;

	if (word < 2 || text[word] != ' ' || text[word - 1] != ':')
		return NULL;
	peer = g_strndup(text, word - 1);
	colon = strrchr(peer, ':');
	if (colon == NULL ||
	    !g_ascii_string_to_unsigned(colon + 1, 10, 1, G_MAXUINT16, &port,
		NULL))
		return NULL;
	*colon = '\0';
	name = peer[0] == '[' ? peer + 1 : peer;
	end = g_str_has_suffix(peer, "]") ? strchr(peer + 1, '[') : NULL;
	if (end == NULL)
		end =
		    peer + strlen(peer) - (g_str_has_suffix(peer, "]") ? 1 : 0);
	if (!is_name(name, (gsize)(end - name)))
		return NULL;
	*end = '\0';
	*ret_length = word + 1;
	return domain_with_port(name, (guint16)port);
}

/* The same of the first peer in @text; *ret_at is where it begins. */
static char *
find_peer(const char *text, const char **ret_at, gsize *ret_length)
{
	const char *at = text;

	while (at != NULL && *at != '\0') {
		char *peer = peer_at(at, ret_length);

		*ret_at = at;
		if (peer != NULL)
			return peer;
		at = strchr(at, ' ');
		at = at != NULL ? at + strspn(at, " ") : NULL;
	}
	return NULL;
}

static void
add(GPtrArray *causes, char *host, const char *text)
{
	struct cause *cause = g_new0(struct cause, 1);

	cause->host = host;
	cause->text = g_strdup(text);
	g_ptr_array_add(causes, cause);
}

/* What is no host's own belongs to what was said before. */
static void
append(GPtrArray *causes, const char *text)
{
	struct cause *last = causes->pdata[causes->len - 1];
	char *both;

	for (gsize i = 0; i < G_N_ELEMENTS(remarks); i++) {
		if (g_str_has_prefix(text, remarks[i]))
			return;
	}
	both = g_strconcat(last->text, SEPARATOR, text, NULL);
	g_free(last->text);
	last->text = both;
}

/*
 * What the agent has said, without what lmtp(8) says around it: "host
 * name[socket] said: 451 4.4.1 ... (in reply to end of DATA command)".  A new
 * string.
 */
static char *
unwrap(const char *reason)
{
	char *text = g_strdup(reason);
	char *tail = strrchr(text, '(');

	if (g_str_has_prefix(text, "host ") &&
	    strstr(text, " said: ") != NULL && tail != NULL &&
	    tail[-1] == ' ' && g_str_has_prefix(tail, "(in reply to ") &&
	    g_str_has_suffix(tail, " command)"))
		tail[-1] = '\0';
	return text;
}

/* Only the first part may have something else before the peer. */
static void
take_part(GPtrArray *causes, const char *part)
{
	const char *at = part;
	gsize length = 0;
	char *host = causes->len == 0 ? find_peer(part, &at, &length)
				      : peer_at(part, &length);

	if (host != NULL)
		add(causes, host, at + length);
	else if (causes->len == 0)
		add(causes, NULL, part);
	else
		append(causes, part);
}

static void
tidy(struct cause *cause)
{
	char *shown;

	for (gsize i = 0; i < G_N_ELEMENTS(variables); i++) {
		char *at = strstr(cause->text, variables[i]);

		if (at != NULL)
			*at = '\0';
	}
	shown = printable(cause->text, TEXT_MAX);
	g_free(cause->text);
	cause->text = shown;
}

GPtrArray *
cause_parse(const char *reason)
{
	GPtrArray *causes = g_ptr_array_new_with_free_func(cause_free);
	g_autofree char *text = NULL;
	g_auto(GStrv) parts = NULL;

	if (reason == NULL) {
		add(causes, NULL, "not tried yet");
		return causes;
	}
	text = unwrap(reason);
	parts = g_strsplit(text, SEPARATOR, CAUSES_MAX);
	for (gsize i = 0; parts[i] != NULL; i++)
		take_part(causes, parts[i]);
	for (guint i = 0; i < causes->len; i++)
		tidy(causes->pdata[i]);
	return causes;
}
