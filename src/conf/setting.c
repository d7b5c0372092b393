/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <stddef.h>
#include <string.h>

#include "address/family.h"
#include "conf/setting.h"
#include "conf/value.h"

#define HELO "a domain, an address literal as [192.0.2.1], or nothing"
#define TIME "a whole number and s, m or h, from 1s to 24h"
#define WORD "one word of at most 64 printable ASCII characters"

/*
 * Every key there is.  What only [smtproute] has is a field of struct
 * settings, what [auth NAME] has one of struct auth_profile, what [route KEY]
 * has one of struct choosing, the rest one of struct host_settings.
 */
#define GLOBAL(field) IN_SMTPROUTE, offsetof(struct settings, field)
#define BOTH(field)   IN_BOTH, offsetof(struct host_settings, field)
#define HOST(field)   IN_HOST, offsetof(struct host_settings, field)
#define ROUTE(field)  IN_WAYS, offsetof(struct choosing, field)
#define AUTH(field)   IN_AUTH, offsetof(struct auth_profile, field)

static const struct setting table[] = {
    {"routes", GLOBAL(routes), value_take_routes, ROUTES_PATH,
	"an absolute path"},
    {"state-directory", GLOBAL(state_directory), value_take_path,
	STATE_DIRECTORY, "an absolute path"},
    {"helo-name", GLOBAL(helo_name), value_take_helo_name, NULL, HELO},
    {"helo-name", HOST(helo_name), value_take_helo_name, NULL, HELO},
    {"log", GLOBAL(log), value_take_log, "syslog",
	"syslog, postlog, or file: and an absolute path"},
    {"syslog-name", GLOBAL(syslog_name), value_take_word, "postfix/smtproute",
	WORD},
    {"connect-timeout", BOTH(timeouts.connect), value_take_time, "30s", TIME},
    {"greeting-timeout", BOTH(timeouts.greeting), value_take_time, "60s", TIME},
    {"command-timeout", BOTH(timeouts.command), value_take_time, "5m", TIME},
    {"data-timeout", BOTH(timeouts.data), value_take_time, "3m", TIME},
    {"final-timeout", BOTH(timeouts.final), value_take_time, "10m", TIME},
    {"time-limit", GLOBAL(time_limit), value_take_time_limit, "900s",
	"a whole number and s, m or h, from 1s to 970s, since pipe(8) "
	"bounces mail after 1000s"},
    {"retry-min", GLOBAL(retry_min), value_take_time, "5s", TIME},
    {"retry-max", GLOBAL(retry_max), value_take_time, "5m", TIME},
    {"when-unsure", ROUTE(when_unsure), value_take_when_unsure, "defer",
	"defer or next"},
    {"patience", ROUTE(patience), value_take_patience, "30s",
	"0, or a whole number and s, m or h, from 1s to 24h"},
    {"waiting", ROUTE(waiting), value_take_number, "10",
	"a whole number up to 10000"},
    {"balance", ROUTE(balance), value_take_balance, "roundrobin",
	"roundrobin or leastconn"},
    {"slow-start", ROUTE(slow_start), value_take_patience, "0",
	"0, or a whole number and s, m or h, from 1s to 24h"},
    {"wake", GLOBAL(wake), value_take_answer, "yes", "yes or no"},
    {"dsn", GLOBAL(dsn), value_take_answer, "no", "yes or no"},
    {"tls", BOTH(tls), value_take_tls, "may", TLS_LEVEL_NAMES},
    {"tls-ca-file", BOTH(tls_ca_file), value_take_path_or_nothing, "",
	"an absolute path, or nothing"},
    {"tls-min-protocol", BOTH(tls_min_protocol), value_take_min_protocol,
	"TLSv1.2", "TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3"},
    {"tls-ciphers", BOTH(tls_ciphers), value_take_text, "",
	"a list as of openssl-ciphers(1), or nothing"},
    {"tls-cert-file", BOTH(tls_cert_file), value_take_path_or_nothing, "",
	"an absolute path, or nothing"},
    {"tls-key-file", BOTH(tls_key_file), value_take_path_or_nothing, "",
	"an absolute path, or nothing"},
    {"tls-name", HOST(tls_name), value_take_name, NULL, "a host name"},
    {"auth", HOST(auth), value_take_word, NULL, WORD},
    {"auth-in-clear", BOTH(auth_in_clear), value_take_answer, "no",
	"yes or no"},
    {"bind", HOST(bind), value_take_address, NULL,
	"an IPv4 or IPv6 address without brackets"},
    {"ehlo-ignore", HOST(ehlo_ignore), value_take_keywords, NULL,
	"keywords of EHLO as SIZE, 8BITMIME"},
    {"next-host-on", HOST(next_host_on), value_take_refusals, NULL,
	"enhanced codes as 5.7.54, or with a code as 550 5.4.5"},
    {"line-limit", HOST(line_limit), value_take_line_limit, NULL,
	"a size from 78 to 1M as 998 or 1K, 0 for no limit"},
    {"transcript", HOST(transcript), value_take_answer, NULL, "yes or no"},
    {"dns-servers", GLOBAL(dns_servers), value_take_dns_servers, NULL,
	"addresses as 192.0.2.1, 192.0.2.1:53 or [2001:db8::1]:53, "
	"or nothing"},
    {"dns-trust-ad", GLOBAL(dns_trust_ad), value_take_answer, "no",
	"yes or no"},
    {"dns-address-limit", GLOBAL(dns_address_limit), value_take_strangers, "5",
	"a whole number from 1 to 100"},
    {"dns-session-limit", GLOBAL(dns_session_limit), value_take_strangers, "2",
	"a whole number from 1 to 100"},
    {"dns-time-limit", GLOBAL(dns_time_limit), value_take_time_limit, "120s",
	"a whole number and s, m or h, from 1s to 970s"},
    {"own-addresses", GLOBAL(own_addresses), value_take_addresses, NULL,
	"IPv4 and IPv6 addresses without brackets, or nothing"},
    {"address-family", BOTH(family), value_take_family, "any", FAMILY_NAMES},
    {"max-connections", BOTH(max_connections), value_take_connections, "0",
	"a whole number up to 10000, 0 for no limit"},
    {"max-messages", BOTH(max_messages), value_take_messages, "50",
	"a whole number from 1 to 1000"},
    {"rate", BOTH(rate), value_take_rates, "none", RATES_ACCEPTED},
    {"rate-recipients", BOTH(rate_recipients), value_take_rates, "none",
	RATES_ACCEPTED},
    {"spool-directory", GLOBAL(spool_directory), value_take_path, "/tmp",
	"an absolute path"},
    {"secret-modes", GLOBAL(secret_modes), value_take_secret_modes, "strict",
	"strict or shared"},
    {"username", AUTH(username), value_take_username, NULL, "1 to 255 bytes"},
    {"password-file", AUTH(password_file), value_take_path, NULL,
	"an absolute path"},
    {"token-file", AUTH(token_file), value_take_path, NULL, "an absolute path"},
    {"password", AUTH(password), value_take_password, NULL, "1 to 255 bytes"},
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
	char *base = group;

	if (setting->place == IN_SMTPROUTE)
		base = (char *)settings;
	else if (setting->place == IN_WAYS && group == &settings->defaults)
		base = (char *)&settings->choosing;

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
