/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Postfix's transport(5): "key transport:nexthop".  Without a nexthop it is
 * the recipient's domain; without a colon it is a transport alone
 * (trivial-rewrite/transport.c).  smtp(8) takes a list of nexthops, and tries
 * them in their order.
 */

#include <config.h>

#include <string.h>

#include "ctl/import/import-each.h"
#include "ctl/import/import-formats.h"
#include "route/route.h"

/* What the names of services are elsewhere, too. */
static const struct service {
	const char *name;
	const char *port;
} services[] = {
    {"smtp", "25"},
    {"submission", "587"},
    {"submissions", "465"},
    {"smtps", "465"},
};

/*
 * What stands before a transport's hosts, and why it cannot be said; NULL: it
 * can.  No transport at all is default_transport, smtp unless changed.
 */
static const struct transport {
	const char *name;
	const char *why;
} transports[] = {
    {"", NULL},
    {"smtp", NULL},
    {"relay", NULL},
    {"error", "mail would be refused"},
    {"retry", "mail would be kept in the queue"},
    {"local", "mail would stay on this machine"},
    {"virtual", "mail would stay on this machine"},
    {"lmtp", "the host speaks LMTP"},
    {NULL, "a transport other than smtp and relay"},
};

static const struct transport *
find_transport(const char *name)
{
	const struct transport *transport = transports;

	while (transport->name != NULL && strcmp(transport->name, name) != 0)
		transport++;
	return transport;
}

/* The ':' before a service, NULL: none is given. */
static char *
find_service(char *host)
{
	char *from = host[0] == '[' ? strchr(host, ']') : host;

	return from == NULL ? NULL : strchr(from, ':');
}

/* What a route has for smtp(8)'s host:service. */
static char *
route_host(const char *nexthop)
{
	g_autofree char *host = g_strdup(nexthop);
	char *colon = find_service(host);

	if (colon == NULL)
		return g_steal_pointer(&host);
	for (gsize i = 0; i < G_N_ELEMENTS(services); i++) {
		if (strcmp(services[i].name, colon + 1) != 0)
			continue;
		*colon = '\0';
		return g_strconcat(host, ":", services[i].port, NULL);
	}
	return g_steal_pointer(&host);
}

static gboolean
add_host(struct import *import, struct import_entry *entry,
    struct import_text *word, struct import_hosts *hosts)
{
	static const char inet[] = "inet:";
	g_autofree char *nexthop = import_dup(word);
	g_autofree char *host = NULL;

	if (nexthop == NULL) {
		import_fault(import, entry, word, "stray NUL", "host");
		return FALSE;
	}
	if (g_str_has_prefix(nexthop, "unix:")) {
		import_unsaid(import, entry, "the host is a local socket");
		return FALSE;
	}
	if (g_str_has_prefix(nexthop, inet)) {
		import_cut(word, strlen(inet));
		memmove(nexthop, nexthop + strlen(inet), word->length + 1);
	}
	host = route_host(nexthop);
	return import_add_host(import, entry, word, host, hosts);
}

/* @word is the first one, without the transport; @walk has the others. */
static void
read_hosts(struct import *import, struct import_entry *entry,
    struct import_text *word, struct import_walk *walk)
{
	g_autoptr(GString) value = g_string_new(NULL);
	struct import_hosts hosts = {.value = value};
	struct import_text next;
	gboolean more;

	if (word->length == 0 && !import_next_word(walk, word)) {
		import_value(import, entry, g_strdup(ROUTE_KEYWORD_DNS));
		return;
	}
	do {
		more = import_next_word(walk, &next);
		hosts.alone = hosts.count == 0 && !more;
		if (!add_host(import, entry, word, &hosts))
			return;
		hosts.level++;
		if (more)
			*word = next;
	} while (more);
	import_value(import, entry, g_strdup(value->str));
}

static void
read_transport(struct import *import, struct import_entry *entry,
    struct import_walk *walk, struct import_text *word)
{
	const char *colon = memchr(word->at, ':', word->length);
	gsize length = colon == NULL ? word->length : (gsize)(colon - word->at);
	struct import_text text = import_cut(word, length);
	g_autofree char *name = import_dup(&text);
	const struct transport *transport = find_transport(name ? name : "?");

	if (colon != NULL)
		import_cut(word, 1);
	if (g_strcmp0(name, "discard") == 0)
		import_value(import, entry, g_strdup("/dev/null"));
	else if (transport->why != NULL)
		import_unsaid(import, entry, transport->why);
	else if (name[0] == '\0' && word->length == 0)
		import_unsaid(import, entry,
		    "\"no change\" depends on other settings of Postfix");
	else
		read_hosts(import, entry, word, walk);
}

/* What a key is that is for no domain; NULL: it may be one. */
static const char *
other_kind(const struct import_text *key)
{
	if (key->length > 1 && (key->at[0] == '/' || key->at[0] == '!'))
		return "pattern of a regexp or pcre table";
	if (memchr(key->at, '@', key->length) == NULL)
		return NULL;
	return key->at[0] == '@' ? "@domain, as tables by address have it"
				 : "single address";
}

static void
read_entry(struct import *import, const struct maptext_entry *given)
{
	struct import_text key = import_map_key(given);
	const char *what;
	struct import_walk walk;
	struct import_text word;
	struct import_entry *entry;

	/* Postfix looks up the colon as part of the key. */
	key.length += given->colon;
	what = other_kind(&key);
	if (what != NULL) {
		import_fault(import, import_begin_keyless(import, key.line),
		    &key, what, "domain, since routes are by domain");
		return;
	}
	entry = import_begin(import, &key);
	if (entry == NULL)
		return;
	import_words_begin(&walk, given);
	word.at = given->value;
	word.length = 0;
	word.line = walk.line;
	word.column = walk.column;
	if (import_next_word(&walk, &word))
		read_transport(import, entry, &walk, &word);
	else
		import_fault(import, entry, &word, "no value",
		    "transport:nexthop");
}

static void
read_map(struct import *import, const char *text, gsize length)
{
	import_each_entry(import, text, length, read_entry);
}

static gboolean
is_mailbox(const char *head)
{
	const char *at = strrchr(head, '@');

	return at != NULL && import_is_key(&import_transport, at + 1);
}

/* Does a list of hosts look as no other mailer has it? */
static gboolean
is_list(const char *hosts)
{
	const char *last = strrchr(hosts, ':');

	return hosts[0] == '\0' || strpbrk(hosts, " \t") != NULL ||
	    (last != NULL && last[1] != '\0' &&
		last[1 + strspn(last + 1, G_CSET_DIGITS)] == '\0');
}

static enum import_claim
claim(const char *head, const char *rest)
{
	const char *colon = strchr(rest, ':');
	const char *hosts = colon == NULL ? NULL : colon + 1;
	g_autofree char *name = NULL;

	if (colon == NULL ||
	    !(import_is_key(&import_transport, head) || is_mailbox(head)))
		return CLAIM_NO;
	name = g_strndup(rest, (gsize)(colon - rest));
	if (name[strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.")] !=
	    '\0')
		return CLAIM_NO;
	if (is_mailbox(head) || strcmp(head, import_transport.any) == 0 ||
	    colon == rest)
		return CLAIM_SURE;
	if (find_transport(name)->why != NULL)
		return CLAIM_MAYBE;
	return is_list(hosts) ? CLAIM_SURE : CLAIM_MAYBE;
}

const struct import_format import_transport = {
    .name = "transport",
    .any = "*",
    .keys = "domain, .domain, [address] or *",
    .claim = claim,
    .read = read_map,
};
