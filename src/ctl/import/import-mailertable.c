/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sendmail's mailertable: "key mailer:host".  makemap(8) takes what is behind
 * the key's blanks as it stands; of equal keys it keeps the first.  An SMTP
 * mailer takes a list of hosts: behind ':' stands what is tried next, behind
 * ',' what is tried in any order with the host before (deliver.c,
 * hostsignature()).  A port cannot stand there, it is part of the mailer.
 */

#include <config.h>

#include <string.h>

#include "ctl/import/import-each.h"
#include "ctl/import/import-formats.h"

/* Of Sendmail's own, those that speak SMTP to the host. */
static const char *const smtp_mailers[] = {"smtp", "relay", "esmtp", "smtp8",
    "dsmtp", NULL};

static gboolean
is_smtp(const char *mailer)
{
	g_autofree char *lower = g_ascii_strdown(mailer, -1);

	return g_strv_contains(smtp_mailers, lower);
}

/* The host at the beginning of @list, which a ':' or ',' ends. */
static gsize
host_length(const struct import_text *list)
{
	const char *end = list->length > 0 && list->at[0] == '['
	    ? memchr(list->at, ']', list->length)
	    : NULL;
	gsize length = end == NULL ? 0 : (gsize)(end - list->at);

	while (length < list->length && list->at[length] != ':' &&
	    list->at[length] != ',')
		length++;
	return length;
}

/* Why Sendmail's host is none of ours, NULL: nothing is known against it. */
static const char *
host_fault(const char *host)
{
	if (host[0] != '\0' && host[strspn(host, "0123456789")] == '\0')
		return "a number is no port in a mailertable, but a host";
	if (strchr(host, '@') != NULL)
		return "the recipient would become another";
	if (strchr(host, '%') != NULL)
		return "the host depends on the recipient's domain";
	return NULL;
}

static gboolean
add_host(struct import *import, struct import_entry *entry,
    const struct import_text *text, struct import_hosts *hosts)
{
	g_autofree char *host = import_dup(text);
	const char *fault = host == NULL ? NULL : host_fault(host);

	if (host == NULL || host[0] == '\0') {
		import_fault(import, entry, text, "no host",
		    "host or [host] behind every ':' and ','");
		return FALSE;
	}
	if (fault != NULL) {
		import_unsaid(import, entry, fault);
		return FALSE;
	}
	if (strpbrk(host, ", \t\r") != NULL) {
		import_fault(import, entry, text, "blank in the list",
		    "hosts with only ':' or ',' between them");
		return FALSE;
	}
	return import_add_host(import, entry, text, host, hosts);
}

static void
read_hosts(struct import *import, struct import_entry *entry,
    struct import_text list)
{
	g_autoptr(GString) value = g_string_new(NULL);
	struct import_hosts hosts = {
	    .value = value,
	    .alone = host_length(&list) == list.length,
	};

	for (;;) {
		struct import_text host = import_cut(&list, host_length(&list));

		if (!add_host(import, entry, &host, &hosts))
			return;
		if (list.length == 0)
			break;
		if (import_cut(&list, 1).at[0] == ':')
			hosts.level++;
	}
	import_value(import, entry, g_strdup(value->str));
}

static void
read_mailer(struct import *import, struct import_entry *entry,
    struct import_text value)
{
	const char *colon = memchr(value.at, ':', value.length);
	g_autofree char *mailer = NULL;

	if (colon == NULL || colon == value.at || value.at[0] == '[') {
		import_fault(import, entry, &value, "no mailer", "mailer:host");
		return;
	}
	mailer = g_strndup(value.at, (gsize)(colon - value.at));
	import_cut(&value, strlen(mailer));
	import_cut(&value, 1);
	if (is_smtp(mailer))
		read_hosts(import, entry, value);
	else if (g_ascii_strcasecmp(mailer, "discard") == 0)
		import_value(import, entry, g_strdup("/dev/null"));
	else if (g_ascii_strcasecmp(mailer, "error") == 0)
		import_unsaid(import, entry, "mail would be refused");
	else
		import_unsaid(import, entry,
		    "a mailer other than smtp, esmtp, smtp8, dsmtp and relay");
}

static void
read_line(struct import *import, struct import_text *line)
{
	struct import_text key;
	struct import_entry *entry;
	gsize length = 0;

	while (length < line->length && !g_ascii_isspace(line->at[length]))
		length++;
	key = import_cut(line, length);
	if (length == 0) {
		import_fault(import, import_begin_keyless(import, line->line),
		    line, "blanks before the key", "none");
		return;
	}
	entry = import_begin(import, &key);
	if (entry == NULL)
		return;
	while (line->length > 0 && g_ascii_isspace(line->at[0]))
		import_cut(line, 1);
	read_mailer(import, entry, *line);
}

static void
read_mailertable(struct import *import, const char *text, gsize length)
{
	import_each_line(import, text, length, read_line);
}

/* Blanks, a port or no host are Postfix's, and so is its way to say inet. */
static gboolean
is_list(const char *hosts)
{
	const char *last = strrchr(hosts, ':');

	if (hosts[0] == '\0' || strpbrk(hosts, " \t/") != NULL ||
	    g_str_has_prefix(hosts, "inet:"))
		return FALSE;
	return last == NULL || last[1 + strspn(last + 1, "0123456789")] != '\0';
}

/* "a:b", where b is no service. */
static gboolean
has_next_host(const char *hosts)
{
	struct import_text list = {.at = hosts, .length = strlen(hosts)};

	for (;;) {
		g_autofree char *host = NULL;

		import_cut(&list, host_length(&list));
		if (list.length == 0)
			return FALSE;
		if (import_cut(&list, 1).at[0] == ',')
			continue;
		host = g_strndup(list.at, host_length(&list));
		if (strpbrk(host, "[.") != NULL)
			return TRUE;
	}
}

static gboolean
is_word(const char *text)
{
	return text[strspn(text,
		   G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-")] == '\0';
}

static enum import_claim
claim(const char *head, const char *rest)
{
	const char *colon = strchr(rest, ':');
	g_autofree char *mailer = NULL;

	if (colon == NULL || colon == rest ||
	    !import_is_key(&import_mailertable, head))
		return CLAIM_NO;
	mailer = g_strndup(rest, (gsize)(colon - rest));
	if (!is_word(mailer) || (is_smtp(mailer) && !is_list(colon + 1)))
		return CLAIM_NO;
	if (strcmp(head, import_mailertable.any) == 0)
		return CLAIM_SURE;
	if (!is_smtp(mailer))
		return CLAIM_MAYBE;
	if (strcmp(mailer, "smtp") != 0 && strcmp(mailer, "relay") != 0)
		return CLAIM_SURE;
	return strchr(colon, '%') != NULL || has_next_host(colon + 1)
	    ? CLAIM_SURE
	    : CLAIM_MAYBE;
}

const struct import_format import_mailertable = {
    .name = "mailertable",
    .any = ".",
    .keys = "domain, .domain, [address] or a lone dot",
    .claim = claim,
    .read = read_mailertable,
};
