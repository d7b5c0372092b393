/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <openssl/tls1.h>

#include "address/domain.h"
#include "address/endpoint.h"
#include "address/family.h"
#include "conf/groups.h"
#include "conf/value.h"
#include "conf/wordlist.h"
#include "util/maillog.h"

#define KIBIBYTE 1024
#define MEBIBYTE (1024 * KIBIBYTE)

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
#define LINE_LIMIT_MAX MEBIBYTE

gboolean
value_take_text(const char *text, GStringChunk *texts, void *field)
{
	const char **ret = field;

	*ret = g_string_chunk_insert(texts, text);
	return TRUE;
}

gboolean
value_take_path(const char *text, GStringChunk *texts, void *field)
{
	return text[0] == '/' && value_take_text(text, texts, field);
}

gboolean
value_take_path_or_nothing(const char *text, GStringChunk *texts, void *field)
{
	return (text[0] == '\0' || text[0] == '/') &&
	    value_take_text(text, texts, field);
}

gboolean
value_take_username(const char *text, GStringChunk *texts, void *field)
{
	return text[0] != '\0' && strlen(text) <= AUTH_TEXT_MAX &&
	    value_take_text(text, texts, field);
}

/* @text is a mask: who knows the password puts it in its place. */
gboolean
value_take_password(const char *text, GStringChunk *texts, void *field)
{
	return text[0] != '\0' && strlen(text) <= AUTH_TEXT_MAX &&
	    value_take_text(text, texts, field);
}

gboolean
value_take_routes(const char *text, GStringChunk *texts, void *field)
{
	const char *path = text;

	if (g_str_has_prefix(text, "lmdb:"))
		path += strlen("lmdb:");
	return path[0] == '/' && value_take_text(text, texts, field);
}

gboolean
value_take_log(const char *text, GStringChunk *texts, void *field)
{
	const char **ret = field;

	if (strcmp(text, "syslog") == 0) {
		*ret = NULL;
		return TRUE;
	}
	if (strcmp(text, MAILLOG_POSTLOG) == 0)
		return value_take_text(text, texts, field);
	return g_str_has_prefix(text, "file:") &&
	    value_take_path(text + strlen("file:"), texts, field);
}

gboolean
value_take_word(const char *text, GStringChunk *texts, void *field)
{
	gsize length = strlen(text);

	if (length == 0 || length > WORD_MAX)
		return FALSE;
	for (const char *p = text; *p != '\0'; p++) {
		if (!g_ascii_isgraph(*p))
			return FALSE;
	}
	return value_take_text(text, texts, field);
}

gboolean
value_take_helo_name(const char *text, GStringChunk *texts, void *field)
{
	g_autofree char *name = NULL;

	if (text[0] == '\0')
		return TRUE;
	if (text[0] == '[')
		name = domain_literal_canonical(text, NULL);
	else
		name = domain_canonical(text, NULL);
	return name != NULL && value_take_text(name, texts, field);
}

static gboolean
take_list(const char *text, gboolean (*is_word)(const char *),
    GStringChunk *texts, void *field)
{
	g_autofree char *list = wordlist_parse(text, is_word);

	return list != NULL && value_take_text(list, texts, field);
}

gboolean
value_take_keywords(const char *text, GStringChunk *texts, void *field)
{
	return take_list(text, wordlist_is_keyword, texts, field);
}

gboolean
value_take_refusals(const char *text, GStringChunk *texts, void *field)
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

gboolean
value_take_time(const char *text, GStringChunk *texts G_GNUC_UNUSED,
    void *field)
{
	return take_span(text, DAY, field);
}

/* Nothing is a time, too. */
gboolean
value_take_patience(const char *text, GStringChunk *texts, void *field)
{
	gint64 *ret = field;

	if (strcmp(text, "0") != 0)
		return value_take_time(text, texts, field);
	*ret = 0;
	return TRUE;
}

gboolean
value_take_time_limit(const char *text, GStringChunk *texts G_GNUC_UNUSED,
    void *field)
{
	return take_span(text, TIME_LIMIT_MAX, field);
}

gboolean
value_take_number(const char *text, GStringChunk *texts G_GNUC_UNUSED,
    void *field)
{
	guint *ret = field;
	guint64 count;

	if (!g_ascii_string_to_unsigned(text, 10, 0, CONNECTIONS_MAX, &count,
		NULL))
		return FALSE;
	*ret = (guint)count;
	return TRUE;
}

gboolean
value_take_connections(const char *text, GStringChunk *texts, void *field)
{
	guint *ret = field;

	if (!value_take_number(text, texts, field))
		return FALSE;
	if (*ret == 0)
		*ret = NO_LIMIT;
	return TRUE;
}

/* Each is one more connection that a stranger's zone can cost us. */
#define STRANGERS_MAX 100

gboolean
value_take_strangers(const char *text, GStringChunk *texts G_GNUC_UNUSED,
    void *field)
{
	guint *ret = field;
	guint64 count;

	if (!g_ascii_string_to_unsigned(text, 10, 1, STRANGERS_MAX, &count,
		NULL))
		return FALSE;
	*ret = (guint)count;
	return TRUE;
}

gboolean
value_take_family(const char *text, GStringChunk *texts G_GNUC_UNUSED,
    void *field)
{
	return family_parse(text, field);
}

/* Canonical ones with commas between them. */
gboolean
value_take_addresses(const char *text, GStringChunk *texts, void *field)
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
	return value_take_text(list->str, texts, field);
}

gboolean
value_take_messages(const char *text, GStringChunk *texts G_GNUC_UNUSED,
    void *field)
{
	guint *ret = field;
	guint64 count;

	if (!g_ascii_string_to_unsigned(text, 10, 1, MESSAGES_MAX, &count,
		NULL))
		return FALSE;
	*ret = (guint)count;
	return TRUE;
}

/* Bytes: a whole number, or one of K or M. */
static gboolean
take_size(const char *text, guint64 max, guint64 *ret)
{
	g_autofree char *digits = g_strdup(text);
	gsize length = strlen(digits);
	guint64 unit = 1;

	if (g_str_has_suffix(text, "K"))
		unit = KIBIBYTE;
	else if (g_str_has_suffix(text, "M"))
		unit = MEBIBYTE;
	if (unit > 1)
		digits[length - 1] = '\0';
	if (!g_ascii_string_to_unsigned(digits, 10, 0, max / unit, ret, NULL))
		return FALSE;
	*ret *= unit;
	return TRUE;
}

gboolean
value_take_line_limit(const char *text, GStringChunk *texts G_GNUC_UNUSED,
    void *field)
{
	guint *ret = field;
	guint64 count;

	if (!take_size(text, LINE_LIMIT_MAX, &count) ||
	    (count > 0 && count < LINE_LIMIT_MIN))
		return FALSE;
	*ret = count == 0 ? NO_LIMIT : (guint)count;
	return TRUE;
}

gboolean
value_take_rates(const char *text, GStringChunk *texts G_GNUC_UNUSED,
    void *field)
{
	gsize at;

	return rates_parse(text, ',', field, &at);
}

/* One of some words, and what stands for it: an enum's, which is an int's size.
 */
struct word {
	const char *text;
	int value;
};

G_STATIC_ASSERT(sizeof(enum answer) == sizeof(int));

static gboolean
take_word(const char *text, const struct word *words, gsize count, void *field)
{
	int *ret = field;

	for (gsize i = 0; i < count; i++) {
		if (strcmp(words[i].text, text) == 0) {
			*ret = words[i].value;
			return TRUE;
		}
	}
	return FALSE;
}

gboolean
value_take_when_unsure(const char *text, GStringChunk *texts G_GNUC_UNUSED,
    void *field)
{
	static const struct word words[] = {
	    {"defer", WHEN_UNSURE_DEFER},
	    {"next", WHEN_UNSURE_NEXT},
	};

	return take_word(text, words, G_N_ELEMENTS(words), field);
}

gboolean
value_take_balance(const char *text, GStringChunk *texts G_GNUC_UNUSED,
    void *field)
{
	static const struct word words[] = {
	    {"roundrobin", BALANCE_ROUNDROBIN},
	    {"leastconn", BALANCE_LEASTCONN},
	};

	return take_word(text, words, G_N_ELEMENTS(words), field);
}

gboolean
value_take_secret_modes(const char *text, GStringChunk *texts G_GNUC_UNUSED,
    void *field)
{
	static const struct word words[] = {
	    {"strict", SECRET_STRICT},
	    {"shared", SECRET_SHARED},
	};

	return take_word(text, words, G_N_ELEMENTS(words), field);
}

gboolean
value_take_tls(const char *text, GStringChunk *texts G_GNUC_UNUSED, void *field)
{
	return tls_level_parse(text, field);
}

gboolean
value_take_min_protocol(const char *text, GStringChunk *texts G_GNUC_UNUSED,
    void *field)
{
	static const struct word words[] = {
	    {"TLSv1", TLS1_VERSION},
	    {"TLSv1.1", TLS1_1_VERSION},
	    {"TLSv1.2", TLS1_2_VERSION},
	    {"TLSv1.3", TLS1_3_VERSION},
	};

	return take_word(text, words, G_N_ELEMENTS(words), field);
}

gboolean
value_take_answer(const char *text, GStringChunk *texts G_GNUC_UNUSED,
    void *field)
{
	static const struct word words[] = {
	    {"yes", ANSWER_YES},
	    {"no", ANSWER_NO},
	};

	return take_word(text, words, G_N_ELEMENTS(words), field);
}

gboolean
value_take_name(const char *text, GStringChunk *texts, void *field)
{
	g_autofree char *name = domain_canonical(text, NULL);

	return name != NULL && value_take_text(name, texts, field);
}

gboolean
value_take_address(const char *text, GStringChunk *texts, void *field)
{
	g_autofree char *address = endpoint_canonical(text);

	return address != NULL && value_take_text(address, texts, field);
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
gboolean
value_take_dns_servers(const char *text, GStringChunk *texts, void *field)
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
	return value_take_text(csv->str, texts, field);
}
