/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <stddef.h>
#include <string.h>

#include <openssl/tls1.h>

#include "address/domain.h"
#include "address/endpoint.h"
#include "address/family.h"
#include "conf/setting.h"
#include "conf/wordlist.h"
#include "util/maillog.h"

#define WORD_MAX 64
#define DNS_PORT 53
#define SECOND   G_GINT64_CONSTANT(1000000)
#define DAY      (86400 * SECOND)

/* pipe(8) kills and bounces after transport_time_limit, 1000 s. */
#define TIME_LIMIT_MAX (970 * SECOND)

/* More processes than that no machine runs for mail. */
#define CONNECTIONS_MAX 10000

/* libESMTP forgets none of a connection's messages before its end. */
#define MESSAGES_MAX 1000

/*
 * With less than every reader takes (RFC 5322 section 2.1.1) headers fall into
 * pieces; what takes more than the greatest wants no limit.
 */
#define LINE_LIMIT_MIN 78
#define LINE_LIMIT_MAX 1000000

/*
 * Values: each function takes the text of one, or returns FALSE and leaves
 * *field alone.
 */

static gboolean
take_text(const char *text, GStringChunk *texts, void *field)
{
	const char **ret = field;

	*ret = g_string_chunk_insert(texts, text);
	return TRUE;
}

static gboolean
take_path(const char *text, GStringChunk *texts, void *field)
{
	return text[0] == '/' && take_text(text, texts, field);
}

static gboolean
take_path_or_nothing(const char *text, GStringChunk *texts, void *field)
{
	return (text[0] == '\0' || text[0] == '/') &&
	    take_text(text, texts, field);
}

static gboolean
take_username(const char *text, GStringChunk *texts, void *field)
{
	return text[0] != '\0' && strlen(text) <= AUTH_TEXT_MAX &&
	    take_text(text, texts, field);
}

/* @text is a mask: who knows the password puts it in its place. */
static gboolean
take_password(const char *text, GStringChunk *texts, void *field)
{
	return text[0] != '\0' && strlen(text) <= AUTH_TEXT_MAX &&
	    take_text(text, texts, field);
}

static gboolean
take_routes(const char *text, GStringChunk *texts, void *field)
{
	const char *path = text;

	if (g_str_has_prefix(text, "lmdb:"))
		path += strlen("lmdb:");
	return path[0] == '/' && take_text(text, texts, field);
}

static gboolean
take_log(const char *text, GStringChunk *texts, void *field)
{
	const char **ret = field;

	if (strcmp(text, "syslog") == 0) {
		*ret = NULL;
		return TRUE;
	}
	if (strcmp(text, MAILLOG_POSTLOG) == 0)
		return take_text(text, texts, field);
	return g_str_has_prefix(text, "file:") &&
	    take_path(text + strlen("file:"), texts, field);
}

static gboolean
take_word(const char *text, GStringChunk *texts, void *field)
{
	gsize length = strlen(text);

	if (length == 0 || length > WORD_MAX)
		return FALSE;
	for (const char *p = text; *p != '\0'; p++) {
		if (!g_ascii_isgraph(*p))
			return FALSE;
	}
	return take_text(text, texts, field);
}

static gboolean
take_helo_name(const char *text, GStringChunk *texts, void *field)
{
	g_autofree char *name = NULL;

	if (text[0] == '\0')
		return TRUE;
	if (text[0] == '[')
		name = domain_literal_canonical(text, NULL);
	else
		name = domain_canonical(text, NULL);
	return name != NULL && take_text(name, texts, field);
}

static gboolean
take_list(const char *text, gboolean (*is_word)(const char *),
    GStringChunk *texts, void *field)
{
	g_autofree char *list = wordlist_parse(text, is_word);

	return list != NULL && take_text(list, texts, field);
}

static gboolean
take_keywords(const char *text, GStringChunk *texts, void *field)
{
	return take_list(text, wordlist_is_keyword, texts, field);
}

static gboolean
take_refusals(const char *text, GStringChunk *texts, void *field)
{
	return take_list(text, wordlist_is_refusal, texts, field);
}

static gboolean
take_span(const char *text, gint64 max, gint64 *ret)
{
	static const struct {
		char suffix;
		gint64 span;
	} units[] = {{'s', SECOND}, {'m', 60 * SECOND}, {'h', 3600 * SECOND}};
	g_autofree char *digits = g_strdup(text);
	gsize length = strlen(digits);
	guint64 count;

	if (length == 0)
		return FALSE;
	digits[length - 1] = '\0';
	for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
		if (text[length - 1] != units[i].suffix)
			continue;
		if (!g_ascii_string_to_unsigned(digits, 10, 1, DAY / SECOND,
			&count, NULL) ||
		    (gint64)count > max / units[i].span)
			return FALSE;
		*ret = (gint64)count * units[i].span;
		return TRUE;
	}
	return FALSE;
}

static gboolean
take_time(const char *text, GStringChunk *texts G_GNUC_UNUSED, void *field)
{
	return take_span(text, DAY, field);
}

/* Nothing is a time, too. */
static gboolean
take_patience(const char *text, GStringChunk *texts, void *field)
{
	gint64 *ret = field;

	if (strcmp(text, "0") != 0)
		return take_time(text, texts, field);
	*ret = 0;
	return TRUE;
}

static gboolean
take_time_limit(const char *text, GStringChunk *texts G_GNUC_UNUSED,
    void *field)
{
	return take_span(text, TIME_LIMIT_MAX, field);
}

static gboolean
take_number(const char *text, GStringChunk *texts G_GNUC_UNUSED, void *field)
{
	guint *ret = field;
	guint64 count;

	if (!g_ascii_string_to_unsigned(text, 10, 0, CONNECTIONS_MAX, &count,
		NULL))
		return FALSE;
	*ret = (guint)count;
	return TRUE;
}

static gboolean
take_connections(const char *text, GStringChunk *texts, void *field)
{
	guint *ret = field;

	if (!take_number(text, texts, field))
		return FALSE;
	if (*ret == 0)
		*ret = NO_LIMIT;
	return TRUE;
}

/* Each is one more connection that a stranger's zone can cost us. */
#define STRANGERS_MAX 100

static gboolean
take_strangers(const char *text, GStringChunk *texts G_GNUC_UNUSED, void *field)
{
	guint *ret = field;
	guint64 count;

	if (!g_ascii_string_to_unsigned(text, 10, 1, STRANGERS_MAX, &count,
		NULL))
		return FALSE;
	*ret = (guint)count;
	return TRUE;
}

static gboolean
take_family(const char *text, GStringChunk *texts G_GNUC_UNUSED, void *field)
{
	return family_parse(text, field);
}

/* Canonical ones with commas between them. */
static gboolean
take_addresses(const char *text, GStringChunk *texts, void *field)
{
	g_auto(GStrv) words = g_strsplit_set(text, ", \t", -1);
	g_autoptr(GString) list = g_string_new(NULL);

	for (gsize i = 0; words[i] != NULL; i++) {
		g_autofree char *address = NULL;

		if (words[i][0] == '\0')
			continue;
		address = endpoint_canonical(words[i]);
		if (address == NULL)
			return FALSE;
		g_string_append_printf(list, "%s%s", list->len > 0 ? "," : "",
		    address);
	}
	if (list->len == 0)
		return text[0] == '\0';
	return take_text(list->str, texts, field);
}

static gboolean
take_messages(const char *text, GStringChunk *texts G_GNUC_UNUSED, void *field)
{
	guint *ret = field;
	guint64 count;

	if (!g_ascii_string_to_unsigned(text, 10, 1, MESSAGES_MAX, &count,
		NULL))
		return FALSE;
	*ret = (guint)count;
	return TRUE;
}

static gboolean
take_line_limit(const char *text, GStringChunk *texts G_GNUC_UNUSED,
    void *field)
{
	guint *ret = field;
	guint64 count;

	if (!g_ascii_string_to_unsigned(text, 10, 0, LINE_LIMIT_MAX, &count,
		NULL) ||
	    (count > 0 && count < LINE_LIMIT_MIN))
		return FALSE;
	*ret = count == 0 ? NO_LIMIT : (guint)count;
	return TRUE;
}

static gboolean
take_when_unsure(const char *text, GStringChunk *texts G_GNUC_UNUSED,
    void *field)
{
	enum when_unsure *ret = field;

	if (strcmp(text, "defer") == 0)
		*ret = WHEN_UNSURE_DEFER;
	else if (strcmp(text, "next") == 0)
		*ret = WHEN_UNSURE_NEXT;
	else
		return FALSE;
	return TRUE;
}

static gboolean
take_secret_modes(const char *text, GStringChunk *texts G_GNUC_UNUSED,
    void *field)
{
	enum secret_modes *ret = field;

	if (strcmp(text, "strict") == 0)
		*ret = SECRET_STRICT;
	else if (strcmp(text, "shared") == 0)
		*ret = SECRET_SHARED;
	else
		return FALSE;
	return TRUE;
}

static gboolean
take_tls(const char *text, GStringChunk *texts G_GNUC_UNUSED, void *field)
{
	return tls_level_parse(text, field);
}

static gboolean
take_min_protocol(const char *text, GStringChunk *texts G_GNUC_UNUSED,
    void *field)
{
	static const struct {
		const char *name;
		int version;
	} protocols[] = {
	    {"TLSv1", TLS1_VERSION},
	    {"TLSv1.1", TLS1_1_VERSION},
	    {"TLSv1.2", TLS1_2_VERSION},
	    {"TLSv1.3", TLS1_3_VERSION},
	};
	int *ret = field;

	for (gsize i = 0; i < G_N_ELEMENTS(protocols); i++) {
		if (strcmp(protocols[i].name, text) == 0) {
			*ret = protocols[i].version;
			return TRUE;
		}
	}
	return FALSE;
}

static gboolean
take_answer(const char *text, GStringChunk *texts G_GNUC_UNUSED, void *field)
{
	enum answer *ret = field;

	if (strcmp(text, "yes") == 0)
		*ret = ANSWER_YES;
	else if (strcmp(text, "no") == 0)
		*ret = ANSWER_NO;
	else
		return FALSE;
	return TRUE;
}

static gboolean
take_name(const char *text, GStringChunk *texts, void *field)
{
	g_autofree char *name = domain_canonical(text, NULL);

	return name != NULL && take_text(name, texts, field);
}

static gboolean
take_address(const char *text, GStringChunk *texts, void *field)
{
	g_autofree char *address = endpoint_canonical(text);

	return address != NULL && take_text(address, texts, field);
}

/* address, address:port, [address] or [address]:port */
static gboolean
parse_server(const char *text, struct endpoint *ret)
{
	g_autofree char *address = NULL;
	const char *end;
	guint64 port = DNS_PORT;

	if (endpoint_parse(text, DNS_PORT, ret))
		return TRUE;
	if (text[0] == '[') {
		end = strchr(++text, ']');
		if (end == NULL)
			return FALSE;
		address = g_strndup(text, (gsize)(end++ - text));
	} else {
		end = text + strcspn(text, ":");
		address = g_strndup(text, (gsize)(end - text));
	}
	if (*end == ':') {
		if (!g_ascii_string_to_unsigned(end + 1, 10, 1, G_MAXUINT16,
			&port, NULL))
			return FALSE;
	} else if (*end != '\0') {
		return FALSE;
	}
	return endpoint_parse(address, (guint16)port, ret);
}

/* Every server gets its port: c-ares 1.18 refuses "[address]" without one. */
static gboolean
take_dns_servers(const char *text, GStringChunk *texts, void *field)
{
	g_auto(GStrv) servers = g_strsplit_set(text, ", \t", -1);
	g_autoptr(GString) csv = g_string_new(NULL);

	for (gsize i = 0; servers[i] != NULL; i++) {
		char address[ENDPOINT_TEXT_SIZE];
		struct endpoint server;
		gboolean v6;

		if (servers[i][0] == '\0')
			continue;
		if (!parse_server(servers[i], &server))
			return FALSE;
		endpoint_text(&server, address);
		v6 = endpoint_family(&server) == AF_INET6;
		g_string_append_printf(csv, "%s%s%s%s:%u",
		    csv->len > 0 ? "," : "", v6 ? "[" : "", address,
		    v6 ? "]" : "", endpoint_port(&server));
	}
	/* Commas alone are a slip of the pen, nothing at all is the default. */
	if (csv->len == 0)
		return text[0] == '\0';
	return take_text(csv->str, texts, field);
}

#define HELO "a domain, an address literal as [192.0.2.1], or nothing"
#define TIME "a whole number and s, m or h, from 1s to 24h"
#define WORD "one word of at most 64 printable ASCII characters"

/*
 * Every key there is.  What only [smtproute] has is a field of struct
 * settings, what [auth NAME] has one of struct auth_profile, the rest one of
 * struct host_settings.
 */
#define GLOBAL(field) IN_SMTPROUTE, offsetof(struct settings, field)
#define BOTH(field)   IN_BOTH, offsetof(struct host_settings, field)
#define HOST(field)   IN_HOST, offsetof(struct host_settings, field)
#define AUTH(field)   IN_AUTH, offsetof(struct auth_profile, field)

static const struct setting table[] = {
    {"routes", GLOBAL(routes), take_routes, ROUTES_PATH, "an absolute path"},
    {"state-directory", GLOBAL(state_directory), take_path, STATE_DIRECTORY,
	"an absolute path"},
    {"helo-name", GLOBAL(helo_name), take_helo_name, NULL, HELO},
    {"helo-name", HOST(helo_name), take_helo_name, NULL, HELO},
    {"log", GLOBAL(log), take_log, "syslog",
	"syslog, postlog, or file: and an absolute path"},
    {"syslog-name", GLOBAL(syslog_name), take_word, "postfix/smtproute", WORD},
    {"connect-timeout", BOTH(timeouts.connect), take_time, "30s", TIME},
    {"greeting-timeout", BOTH(timeouts.greeting), take_time, "60s", TIME},
    {"command-timeout", BOTH(timeouts.command), take_time, "5m", TIME},
    {"data-timeout", BOTH(timeouts.data), take_time, "3m", TIME},
    {"final-timeout", BOTH(timeouts.final), take_time, "10m", TIME},
    {"time-limit", GLOBAL(time_limit), take_time_limit, "900s",
	"a whole number and s, m or h, from 1s to 970s, since pipe(8) "
	"bounces mail after 1000s"},
    {"retry-min", GLOBAL(retry_min), take_time, "5s", TIME},
    {"retry-max", GLOBAL(retry_max), take_time, "5m", TIME},
    {"when-unsure", GLOBAL(when_unsure), take_when_unsure, "defer",
	"defer or next"},
    {"patience", GLOBAL(patience), take_patience, "30s",
	"0, or a whole number and s, m or h, from 1s to 24h"},
    {"waiting", GLOBAL(waiting), take_number, "10",
	"a whole number up to 10000"},
    {"wake", GLOBAL(wake), take_answer, "yes", "yes or no"},
    {"tls", BOTH(tls), take_tls, "may", TLS_LEVEL_NAMES},
    {"tls-ca-file", BOTH(tls_ca_file), take_path_or_nothing, "",
	"an absolute path, or nothing"},
    {"tls-min-protocol", BOTH(tls_min_protocol), take_min_protocol, "TLSv1.2",
	"TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3"},
    {"tls-ciphers", BOTH(tls_ciphers), take_text, "",
	"a list as of openssl-ciphers(1), or nothing"},
    {"tls-cert-file", BOTH(tls_cert_file), take_path_or_nothing, "",
	"an absolute path, or nothing"},
    {"tls-key-file", BOTH(tls_key_file), take_path_or_nothing, "",
	"an absolute path, or nothing"},
    {"tls-name", HOST(tls_name), take_name, NULL, "a host name"},
    {"auth", HOST(auth), take_word, NULL, WORD},
    {"auth-in-clear", BOTH(auth_in_clear), take_answer, "no", "yes or no"},
    {"bind", HOST(bind), take_address, NULL,
	"an IPv4 or IPv6 address without brackets"},
    {"ehlo-ignore", HOST(ehlo_ignore), take_keywords, NULL,
	"keywords of EHLO as SIZE, 8BITMIME"},
    {"next-host-on", HOST(next_host_on), take_refusals, NULL,
	"enhanced codes as 5.7.54, or with a code as 550 5.4.5"},
    {"line-limit", HOST(line_limit), take_line_limit, NULL,
	"a whole number from 78 to 1000000, 0 for no limit"},
    {"transcript", HOST(transcript), take_answer, NULL, "yes or no"},
    {"dns-servers", GLOBAL(dns_servers), take_dns_servers, NULL,
	"addresses as 192.0.2.1, 192.0.2.1:53 or [2001:db8::1]:53, "
	"or nothing"},
    {"dns-trust-ad", GLOBAL(dns_trust_ad), take_answer, "no", "yes or no"},
    {"dns-address-limit", GLOBAL(dns_address_limit), take_strangers, "5",
	"a whole number from 1 to 100"},
    {"dns-session-limit", GLOBAL(dns_session_limit), take_strangers, "2",
	"a whole number from 1 to 100"},
    {"dns-time-limit", GLOBAL(dns_time_limit), take_time_limit, "120s",
	"a whole number and s, m or h, from 1s to 970s"},
    {"own-addresses", GLOBAL(own_addresses), take_addresses, NULL,
	"IPv4 and IPv6 addresses without brackets, or nothing"},
    {"address-family", BOTH(family), take_family, "any", FAMILY_NAMES},
    {"max-connections", BOTH(max_connections), take_connections, "0",
	"a whole number up to 10000, 0 for no limit"},
    {"max-messages", BOTH(max_messages), take_messages, "50",
	"a whole number from 1 to 1000"},
    {"spool-directory", GLOBAL(spool_directory), take_path, "/tmp",
	"an absolute path"},
    {"secret-modes", GLOBAL(secret_modes), take_secret_modes, "strict",
	"strict or shared"},
    {"username", AUTH(username), take_username, NULL, "1 to 255 bytes"},
    {"password-file", AUTH(password_file), take_path, NULL, "an absolute path"},
    {"token-file", AUTH(token_file), take_path, NULL, "an absolute path"},
    {"password", AUTH(password), take_password, NULL, "1 to 255 bytes"},
};

const struct setting *
setting_find(enum setting_place place, const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		if ((table[i].place & place) != 0 &&
		    strcmp(table[i].name, name) == 0)
			return &table[i];
	}
	return NULL;
}

char *
setting_list(enum setting_place place)
{
	GString *list = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		if ((table[i].place & place) != 0)
			g_string_append_printf(list, "%s%s",
			    list->len > 0 ? ", " : "", table[i].name);
	}
	return g_string_free(list, FALSE);
}

gboolean
setting_take(const struct setting *setting, const char *text,
    struct settings *settings, void *group)
{
	char *base = setting->place == IN_SMTPROUTE ? (char *)settings : group;

	for (const char *p = text; *p != '\0'; p++) {
		if (g_ascii_iscntrl(*p) && *p != '\t')
			return FALSE;
	}
	return setting->take(text, settings->texts, base + setting->offset);
}

void
setting_take_defaults(struct settings *settings)
{
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		gboolean taken = table[i].value == NULL ||
		    setting_take(&table[i], table[i].value, settings,
			&settings->defaults);

		g_assert(taken);
	}
}
