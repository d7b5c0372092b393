/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control/smtproutes, see qmail-remote(8).  As qmail reads it (control.c,
 * constmap.c): blanks at the end of a line are nothing, and so is a line that
 * begins with '#'; the last of equal keys counts.  A relay's addresses are
 * used, never its MX; without a relay the recipient's MX is.
 *
 * Many patches add something behind the port, often a password, so nothing
 * of a value is shown but relay, port and user, where they cannot be anything
 * else.
 */

#include <config.h>

#include <string.h>

#include "address/domain.h"
#include "address/endpoint.h"
#include "ctl/import/import-each.h"
#include "ctl/import/import-formats.h"
#include "route/route.h"

/* As written. */
struct relay {
	struct import_text host;
	gboolean has_port;
	struct import_text port;
};

/* Where a relay ends: its port, or what patches have behind it. */
static gsize
relay_length(const struct import_text *value)
{
	const char *end = value->length > 0 && value->at[0] == '['
	    ? memchr(value->at, ']', value->length)
	    : NULL;
	gsize length = end == NULL ? 0 : (gsize)(end - value->at) + 1;

	while (length < value->length &&
	    strchr(":;| \t", value->at[length]) == NULL)
		length++;
	return length;
}

/* FALSE: there is more than relay and port. */
static gboolean
split_relay(struct import_text value, struct relay *relay)
{
	gsize length = relay_length(&value);

	relay->host = import_cut(&value, length);
	relay->has_port = value.length > 0;
	if (!relay->has_port)
		return TRUE;
	if (value.at[0] != ':')
		return FALSE;
	import_cut(&value, 1);
	relay->port = value;
	for (gsize i = 0; i < value.length; i++) {
		if (strchr(":;| \t", value.at[i]) != NULL)
			return FALSE;
	}
	return TRUE;
}

/* As the route map has it; NULL: no name and no address. */
static char *
relay_host(const struct import_text *host)
{
	g_autofree char *text = import_dup(host);
	g_autofree char *address = NULL;
	g_autofree char *name = NULL;
	gsize length = host->length;

	if (text == NULL)
		return NULL;
	if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
		text[length - 1] = '\0';
		memmove(text, text + 1, length - 1);
	}
	address = endpoint_canonical(text);
	name = address == NULL ? domain_canonical(text, NULL) : NULL;
	if (address == NULL && name == NULL)
		return NULL;
	return g_strdup_printf("[%s]", address == NULL ? name : address);
}

static gboolean
is_port_text(const char *text)
{
	return text != NULL &&
	    g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT16, NULL, NULL);
}

static gboolean
is_port(const struct import_text *text)
{
	g_autofree char *port = import_dup(text);

	return is_port_text(port);
}

/* Printable ASCII, and something. */
static gboolean
is_plain(const char *word)
{
	const char *p = word;

	while (g_ascii_isgraph(*p))
		p++;
	return p > word && *p == '\0';
}

/*
 * "relay[:port] user password", with any of the separators of patches; TRUE
 * with new strings.  More or fewer words, or a strange one: who knows which of
 * them is the password.
 */
static gboolean
split_login(struct import_text value, char **ret_relay, char **ret_user)
{
	struct import_text head = import_cut(&value, relay_length(&value));
	g_autofree char *host = relay_host(&head);
	g_autofree char *rest = import_dup(&value);
	g_auto(GStrv) words = NULL;
	char **word;

	if (host == NULL || rest == NULL || rest[0] == '\0')
		return FALSE;
	/* The first one is empty: rest begins with a separator. */
	words = g_strsplit_set(rest, ":;| \t", -1);
	word = words + 1;
	*ret_relay = NULL;
	if (rest[0] != ':')
		*ret_relay = g_steal_pointer(&host);
	else if (is_port_text(word[0]))
		*ret_relay = g_strdup_printf("%s:%s", host, *word++);
	if (*ret_relay == NULL)
		return FALSE;
	if (g_strv_length(word) == 2 && is_plain(word[0]) &&
	    is_plain(word[1])) {
		*ret_user = g_strdup(word[0]);
		return TRUE;
	}
	g_clear_pointer(ret_relay, g_free);
	return FALSE;
}

static void
read_unsaid(struct import *import, struct import_entry *entry,
    const struct import_text *value)
{
	static const char why[] =
	    "there is more than relay and port, such as a user and password; "
	    "see auth= in smtproute_routes(5)";
	char *relay = NULL;
	char *user = NULL;

	if (split_login(*value, &relay, &user))
		import_login(import, entry, why, relay, user);
	else
		import_unsaid(import, entry, why);
}

static void
read_relay(struct import *import, struct import_entry *entry,
    const struct import_text *value)
{
	struct relay relay;
	g_autofree char *host = NULL;

	if (!split_relay(*value, &relay)) {
		read_unsaid(import, entry, value);
		return;
	}
	host = relay_host(&relay.host);
	if (host == NULL)
		import_fault(import, entry, &relay.host, "bad relay",
		    "host name or address right behind the colon");
	else if (!relay.has_port)
		import_value(import, entry, g_steal_pointer(&host));
	else if (!is_port(&relay.port))
		import_fault(import, entry, &relay.port, "bad port",
		    "1 to 65535");
	else
		import_value(import, entry,
		    g_strdup_printf("%s:%.*s", host, (int)relay.port.length,
			relay.port.at));
}

static void
read_line(struct import *import, struct import_text *line)
{
	const char *colon = memchr(line->at, ':', line->length);
	struct import_text key;
	struct import_entry *entry;

	if (colon == NULL) {
		import_fault(import, import_begin_keyless(import, line->line),
		    line, "no colon", "domain:relay");
		return;
	}
	key = import_cut(line, (gsize)(colon - line->at));
	import_cut(line, 1);
	entry = import_begin(import, &key);
	if (entry == NULL)
		return;
	if (line->length == 0)
		import_value(import, entry, g_strdup(ROUTE_KEYWORD_DNS));
	else
		read_relay(import, entry, line);
}

static void
read_qmail(struct import *import, const char *text, gsize length)
{
	import_each_line(import, text, length, read_line);
}

/* No blank before the relay; slash and comma are the ESA's. */
static enum import_claim
claim(const char *head, const char *rest)
{
	const char *colon = strchr(head, ':');
	g_autofree char *key = NULL;
	g_autofree char *host = NULL;
	struct import_text value = {0};

	if (colon == NULL || strpbrk(colon, "/,") != NULL)
		return CLAIM_NO;
	key = g_strndup(head, (gsize)(colon - head));
	if (!import_is_key(&import_qmail, key))
		return CLAIM_NO;
	value.at = colon + 1;
	value.length = strlen(value.at);
	if (value.length == 0)
		return rest[0] == '\0' ? CLAIM_MAYBE : CLAIM_NO;
	value.length = relay_length(&value);
	host = relay_host(&value);
	if (host == NULL)
		return CLAIM_NO;
	return colon == head ? CLAIM_SURE : CLAIM_MAYBE;
}

const struct import_format import_qmail = {
    .name = "qmail",
    .any = "",
    .keys = "domain, .domain or nothing before the colon",
    .last_wins = TRUE,
    .claim = claim,
    .read = read_qmail,
};
