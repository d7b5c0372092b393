/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "conf/settings.h"
#include "unit/fixture.h"
#include "unit/table.h"

static void
show_text(GString *all, const char *key, const char *value)
{
	g_string_append_printf(all, "%s = %s\n", key,
	    value != NULL ? value : "(none)");
}

static void
show_seconds(GString *all, const char *key, gint64 span)
{
	g_assert_cmpint(span % G_USEC_PER_SEC, ==, 0);
	g_string_append_printf(all, "%s = %" G_GINT64_FORMAT "\n", key,
	    span / G_USEC_PER_SEC);
}

static void
show_rates(GString *all, const char *key, const struct rates *rates)
{
	g_autofree char *text = rates_text(rates, ", ");

	g_assert_true(rates->set);
	show_text(all, key, text);
}

static void
show_host(GString *all, const struct host_settings *host)
{
	show_seconds(all, "connect", host->timeouts.connect);
	show_seconds(all, "greeting", host->timeouts.greeting);
	show_seconds(all, "command", host->timeouts.command);
	show_seconds(all, "data", host->timeouts.data);
	show_seconds(all, "final", host->timeouts.final);
	show_text(all, "tls", tls_level_name(host->tls));
	show_text(all, "ca", host->tls_ca_file);
	g_string_append_printf(all, "protocol = %x\n",
	    (guint)host->tls_min_protocol);
	show_text(all, "ciphers", host->tls_ciphers);
	show_text(all, "cert", host->tls_cert_file);
	show_text(all, "key", host->tls_key_file);
	show_text(all, "name", host->tls_name);
	show_text(all, "auth", host->auth);
	show_text(all, "clear",
	    host->auth_in_clear == ANSWER_YES ? "yes" : "no");
	show_text(all, "bind", host->bind);
	show_text(all, "family", family_name(host->family));
	show_rates(all, "rate", &host->rate);
	show_rates(all, "recipients", &host->rate_recipients);
}

static char **
show_settings(const struct settings *settings)
{
	g_autoptr(GString) all = g_string_new(NULL);

	show_text(all, "routes", settings->routes);
	show_text(all, "state", settings->state_directory);
	show_text(all, "helo", settings->helo_name);
	show_text(all, "log", settings->log);
	show_text(all, "tag", settings->syslog_name);
	show_text(all, "dns", settings->dns_servers);
	show_text(all, "ad",
	    settings->dns_trust_ad == ANSWER_YES ? "yes" : "no");
	g_string_append_printf(all, "addresses = %u\nsessions = %u\n",
	    settings->dns_address_limit, settings->dns_session_limit);
	show_seconds(all, "dnstime", settings->dns_time_limit);
	show_text(all, "own", settings->own_addresses);
	show_text(all, "spool", settings->spool_directory);
	show_text(all, "modes",
	    settings->secret_modes == SECRET_SHARED ? "shared" : "strict");
	show_seconds(all, "limit", settings->time_limit);
	show_text(all, "unsure",
	    settings->choosing.when_unsure == WHEN_UNSURE_NEXT ? "next"
							       : "defer");
	show_seconds(all, "patience", settings->choosing.patience);
	g_string_append_printf(all, "waiting = %u\n",
	    settings->choosing.waiting);
	show_text(all, "balance",
	    settings->choosing.balance == BALANCE_LEASTCONN ? "leastconn"
							    : "roundrobin");
	show_seconds(all, "slow", settings->choosing.slow_start);
	show_text(all, "wake", settings->wake == ANSWER_YES ? "yes" : "no");
	show_text(all, "dsn", settings->dsn == ANSWER_YES ? "yes" : "no");
	show_host(all, &settings->defaults);
	return g_strsplit(all->str, "\n", -1);
}

/*
 * A line of [smtproute], and the one thing that it changes; NULL: nothing.
 */
struct accepted {
	const char *says;
	const char *line;
	const char *change;
};

static const struct accepted accepted[] = {
    {"no key at all", "", NULL},
    {"a comment", "# routes = /r", NULL},
    {"routes", "routes = /r", "routes = /r"},
    {"indexed routes", "routes = lmdb:/r", "routes = lmdb:/r"},
    {"a path with a blank", "routes = /a b", "routes = /a b"},
    {"no escape for a blank", "routes = /a\\sb", "routes = /a\\sb"},
    {"no escape for a line end", "routes = /a\\nb", "routes = /a\\nb"},
    {"a backslash at the end", "routes = /a\\", "routes = /a\\"},
    {"two backslashes are two", "routes = /a\\\\b", "routes = /a\\\\b"},
    {"no blanks around the sign", "routes=/r", "routes = /r"},
    {"blanks at both ends", " \t routes = /r \t ", "routes = /r"},
    {"a line that ends in CRLF", "routes = /r\r", "routes = /r"},
    {"the state directory", "state-directory = /s", "state = /s"},
    {"no HELO name", "helo-name =", NULL},
    {"blanks for a HELO name", "helo-name = \t\r", NULL},
    {"a HELO name", "helo-name = Mail.Example.COM.", "helo = mail.example.com"},
    {"a literal as HELO name", "helo-name = [192.0.2.1]", "helo = [192.0.2.1]"},
    {"an IPv6 literal", "helo-name = [IPv6:2001:DB8::1]",
	"helo = [ipv6:2001:db8::1]"},
    {"log to syslog", "log = syslog", NULL},
    {"log to Postfix's", "log = postlog", "log = postlog"},
    {"log to a file", "log = file:/l", "log = /l"},
    {"a syslog name", "syslog-name = relay", "tag = relay"},
    {"the longest syslog name",
	"syslog-name = aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb"
	"ccccccccccccccccdddddddddddddddd",
	"tag = aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb"
	"ccccccccccccccccdddddddddddddddd"},
    {"the shortest time", "connect-timeout = 1s", "connect = 1"},
    {"minutes", "greeting-timeout = 2m", "greeting = 120"},
    {"hours", "command-timeout = 3h", "command = 10800"},
    {"the longest time", "data-timeout = 24h", "data = 86400"},
    {"the longest time in seconds", "final-timeout = 86400s", "final = 86400"},
    {"a default in another unit", "final-timeout = 600s", NULL},
    {"the longest time limit", "time-limit = 970s", "limit = 970"},
    {"a time limit in minutes", "time-limit = 16m", "limit = 960"},
    {"when unsure, the next host", "when-unsure = next", "unsure = next"},
    {"when unsure, defer", "when-unsure = defer", NULL},
    {"a rate", "rate = 30:1m", "rate = 30:1m"},
    {"several rates", "rate = 14:1s,30:60s , 10000:1d",
	"rate = 14:1s, 30:1m, 10000:1d"},
    {"a rate of recipients", "rate-recipients = 1:31d", "recipients = 1:31d"},
    {"no rate", "rate = none", NULL},
    {"fewest sessions", "balance = leastconn", "balance = leastconn"},
    {"by turns", "balance = roundrobin", NULL},
    {"a slow start", "slow-start = 1m", "slow = 60"},
    {"no slow start", "slow-start = 0", NULL},
    {"no patience", "patience = 0", "patience = 0"},
    {"much patience", "patience = 2m", "patience = 120"},
    {"nobody may wait", "waiting = 0", "waiting = 0"},
    {"no wake-up", "wake = no", "wake = no"},
    {"DSN", "dsn = yes", "dsn = yes"},
    {"tls none", "tls = none", "tls = none"},
    {"tls encrypt", "tls = encrypt", "tls = encrypt"},
    {"tls secure", "tls = secure", "tls = secure"},
    {"tls dane", "tls = dane", "tls = dane"},
    {"tls wrapper", "tls = wrapper", "tls = wrapper"},
    {"a file of authorities", "tls-ca-file = /ca.pem", "ca = /ca.pem"},
    {"the system's authorities", "tls-ca-file =", NULL},
    {"TLS 1.0", "tls-min-protocol = TLSv1", "protocol = 301"},
    {"TLS 1.1", "tls-min-protocol = TLSv1.1", "protocol = 302"},
    {"TLS 1.2", "tls-min-protocol = TLSv1.2", NULL},
    {"TLS 1.3", "tls-min-protocol = TLSv1.3", "protocol = 304"},
    {"ciphers", "tls-ciphers = HIGH:!aNULL", "ciphers = HIGH:!aNULL"},
    {"credentials in clear", "auth-in-clear = yes", "clear = yes"},
    {"credentials over TLS only", "auth-in-clear = no", NULL},
    {"trust in the resolver", "dns-trust-ad = yes", "ad = yes"},
    {"addresses of strangers", "dns-address-limit = 100", "addresses = 100"},
    {"sessions with strangers", "dns-session-limit = 1", "sessions = 1"},
    {"time for strangers", "dns-time-limit = 5m", "dnstime = 300"},
    {"no own addresses", "own-addresses =", NULL},
    {"own addresses", "own-addresses = 192.0.2.1, 2001:DB8:0::1  ::1",
	"own = 192.0.2.1,2001:db8::1,::1"},
    {"any family", "address-family = any", NULL},
    {"IPv4", "address-family = ipv4", "family = ipv4"},
    {"IPv6", "address-family = ipv6", "family = ipv6"},
    {"IPv4 first", "address-family = prefer-ipv4", "family = prefer-ipv4"},
    {"IPv6 first", "address-family = prefer-ipv6", "family = prefer-ipv6"},
    {"no DNS servers", "dns-servers =", NULL},
    {"a DNS server", "dns-servers = 192.0.2.1", "dns = 192.0.2.1:53"},
    {"a DNS server with a port", "dns-servers = 127.0.0.1:5353",
	"dns = 127.0.0.1:5353"},
    {"a bare IPv6 DNS server", "dns-servers = ::1", "dns = [::1]:53"},
    {"an IPv6 DNS server in brackets", "dns-servers = [2001:DB8::a]",
	"dns = [2001:db8::a]:53"},
    {"an IPv6 DNS server with a port", "dns-servers = [::1]:65535",
	"dns = [::1]:65535"},
    {"DNS servers between commas and blanks",
	"dns-servers = 192.0.2.1,192.0.2.2:54, \t ::1 [::2]:55,",
	"dns = 192.0.2.1:53,192.0.2.2:54,[::1]:53,[::2]:55"},
    {"secrets that others can read", "secret-modes = shared", "modes = shared"},
    {"secrets that others cannot read", "secret-modes = strict", NULL},
    {"a certificate", "tls-cert-file = /c.pem", "cert = /c.pem"},
    {"a key", "tls-key-file = /k.pem", "key = /k.pem"},
    {"the spool directory", "spool-directory = /var/tmp", "spool = /var/tmp"},
};

static void
test_accepted(gconstpointer data)
{
	const struct accepted *row = data;
	g_autofree char *text =
	    g_strdup_printf("# first\n\n[smtproute]\n%s\n", row->line);
	g_autoptr(Settings) plain = fixture_settings("");
	g_autoptr(Settings) settings = fixture_settings(text);
	g_auto(GStrv) before = NULL;
	g_auto(GStrv) after = NULL;
	const char *change = NULL;

	before = show_settings(plain);
	after = show_settings(settings);
	for (gsize i = 0; before[i] != NULL; i++) {
		if (strcmp(before[i], after[i]) == 0)
			continue;
		g_assert_null(change);
		change = after[i];
	}
	g_assert_cmpstr(change, ==, row->change);
}

static void
test_defaults(void)
{
	g_autoptr(Settings) settings = fixture_settings("");
	g_auto(GStrv) lines = NULL;
	g_autofree char *shown = NULL;

	lines = show_settings(settings);
	shown = g_strjoinv("; ", lines);
	g_assert_cmpstr(shown, ==,
	    "routes = " ROUTES_PATH "; state = " STATE_DIRECTORY "; "
	    "helo = (none); log = (none); tag = postfix/smtproute; "
	    "dns = (none); ad = no; addresses = 5; sessions = 2; "
	    "dnstime = 120; own = (none); spool = /tmp; modes = strict; "
	    "limit = 900; "
	    "unsure = defer; patience = 30; waiting = 10; "
	    "balance = roundrobin; slow = 0; wake = yes; dsn = no; "
	    "connect = 30; greeting = 60; command = 300; data = 180; "
	    "final = 600; tls = may; ca = ; protocol = 303; ciphers = ; "
	    "cert = ; key = ; "
	    "name = (none); auth = (none); clear = no; bind = (none); "
	    "family = any; rate = none; recipients = none; ");
}

#define PROFILE(name) "[auth " name "]\nusername = u\npassword-file = /p\n"
#define PROFILES                                                               \
	PROFILE("ex")                                                          \
	PROFILE("port") PROFILE("six") PROFILE("a") PROFILE("b")

/* A host of this file, and what differs from the defaults for it. */
static const char hosts_text[] = "[host mx1.example.com:2525]\n"
				 "tls = none\n"
				 "final-timeout = 7m\n"
				 "[host MX1.Example.COM.]\n"
				 "tls = secure\n"
				 "auth = ex\n"
				 "connect-timeout = 5s\n"
				 "[host b\xc3\xbc"
				 "cher.example]\n"
				 "bind = 2001:DB8:0::7\n"
				 "[host 192.0.2.10:587]\n"
				 "auth = port\n"
				 "[host 2001:DB8::1:25]\n"
				 "auth = six\n"
				 " [host [2001:DB8::2]:587]\t\r\n"
				 "tls = none\n"
				 "auth = port\n"
				 "[host [2001:db8::2]]\n"
				 "auth = six\n"
				 "[host [ex.example.com]:26]\n"
				 "auth = ex\n"
				 "[host all]\n"
				 "connect-timeout = 1s\n"
				 "greeting-timeout = 2s\n"
				 "command-timeout = 3s\n"
				 "data-timeout = 4s\n"
				 "final-timeout = 5s\n"
				 "tls = dane\n"
				 "auth = a\n"
				 "bind = 192.0.2.5\n"
				 "[host all:26]\n"
				 "connect-timeout = 6s\n"
				 "greeting-timeout = 7s\n"
				 "command-timeout = 8s\n"
				 "data-timeout = 9s\n"
				 "final-timeout = 10s\n"
				 "tls = may\n"
				 "auth = b\n"
				 "bind = 192.0.2.6\n"
				 "[smtproute]\n"
				 "tls = encrypt\n"
				 "connect-timeout = 20s\n" PROFILES;

struct host {
	const char *says;
	const char *name;
	guint16 port;
	const char *shown; /* connect greeting command data final */
};

static const struct host hosts[] = {
    {"a host without a group has the defaults", "mx2.example.com", 25,
	"20 60 300 180 600 encrypt - -"},
    {"a group without a port is for every port", "mx1.example.com", 25,
	"5 60 300 180 600 secure ex -"},
    {"a group with the port goes before it", "mx1.example.com", 2525,
	"5 60 300 180 420 none ex -"},
    {"an internationalized name", "xn--bcher-kva.example", 25,
	"20 60 300 180 600 encrypt - 2001:db8::7"},
    {"an address and its port", "192.0.2.10", 587,
	"20 60 300 180 600 encrypt port -"},
    {"an address and another port", "192.0.2.10", 25,
	"20 60 300 180 600 encrypt - -"},
    {"an IPv6 address", "2001:db8::1:25", 25,
	"20 60 300 180 600 encrypt six -"},
    {"a port is no part of an IPv6 address", "2001:db8::1", 25,
	"20 60 300 180 600 encrypt - -"},
    {"an IPv6 address in brackets, and its port", "2001:db8::2", 587,
	"20 60 300 180 600 none port -"},
    {"an IPv6 address in brackets alone", "2001:db8::2", 25,
	"20 60 300 180 600 encrypt six -"},
    {"a name in brackets", "ex.example.com", 26,
	"20 60 300 180 600 encrypt ex -"},
    {"every key of a group", "all", 25, "1 2 3 4 5 dane a 192.0.2.5"},
    {"every key of a group with a port", "all", 26,
	"6 7 8 9 10 may b 192.0.2.6"},
};

static void
test_host(gconstpointer data)
{
	const struct host *row = data;
	g_autoptr(Settings) settings = fixture_settings(hosts_text);
	struct host_settings host;
	g_autofree char *shown = NULL;

	host = settings_host(settings, row->name, row->port);
	shown = g_strdup_printf("%g %g %g %g %g %s %s %s",
	    (double)host.timeouts.connect / G_USEC_PER_SEC,
	    (double)host.timeouts.greeting / G_USEC_PER_SEC,
	    (double)host.timeouts.command / G_USEC_PER_SEC,
	    (double)host.timeouts.data / G_USEC_PER_SEC,
	    (double)host.timeouts.final / G_USEC_PER_SEC,
	    tls_level_name(host.tls), host.auth != NULL ? host.auth : "-",
	    host.bind != NULL ? host.bind : "-");
	g_assert_cmpstr(shown, ==, row->shown);
}

/* What line-limit is, of some sizes. */
static const struct size {
	const char *says; /* the size */
	guint limit;
} sizes[] = {
    {"0", NO_LIMIT},
    {"0K", NO_LIMIT},
    {"78", 78},
    {"998", 998},
    {"1K", 1024},
    {"1024K", 1048576},
    {"1M", 1048576},
    {"1048576", 1048576},
};

static void
test_size(gconstpointer data)
{
	const struct size *row = data;
	g_autofree char *text =
	    g_strdup_printf("[host a]\nline-limit = %s\n", row->says);
	g_autoptr(Settings) settings = fixture_settings(text);

	g_assert_cmpuint(settings_host(settings, "a", 25).line_limit, ==,
	    row->limit);
}

/* Does any route of these settings count sessions? */
static const struct counting {
	const char *says;
	const char *text;
	gboolean counted;
} countings[] = {
    {"nothing is said", "", FALSE},
    {"all routes", "[smtproute]\nbalance = leastconn\n", TRUE},
    {"none", "[smtproute]\nbalance = roundrobin\n[route a]\nwaiting = 1\n",
	FALSE},
    {"one route", "[route a]\nwaiting = 1\n[route b]\nbalance = leastconn\n",
	TRUE},
    {"all but one",
	"[smtproute]\nbalance = leastconn\n"
	"[route a]\nbalance = roundrobin\n",
	TRUE},
};

static void
test_counting(gconstpointer data)
{
	const struct counting *row = data;
	g_autoptr(Settings) settings = fixture_settings(row->text);

	g_assert_cmpint(settings_have_leastconn(settings), ==, row->counted);
}

/* A group [auth ex] with a username, and what becomes of its other line. */
static const struct {
	const char *says;
	const char *line;
	const char *password; /* NULL: none */
} passwords[] = {
    {"a password", "password = secret", "secret"},
    {"a password with blanks", "password =  a  b \t", "a  b"},
    {"a backslash is a backslash", "password = a\\sb\\", "a\\sb\\"},
    {"signs that begin comments and groups", "password = #[x]=;", "#[x]=;"},
    {"bytes of UTF-8", "password = \xc3\xbc", "\xc3\xbc"},
    {"a line that ends in CRLF", "password = secret\r", "secret"},
    {"a file", "password-file = /p", NULL},
};

static void
test_passwords(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(passwords); i++) {
		g_autofree char *text =
		    g_strdup_printf("[smtproute]\n[auth ex]\n"
				    "username = u\n%s\n[host a]\nauth = ex\n",
			passwords[i].line);
		g_autoptr(Settings) settings = fixture_settings(text);
		const struct auth_profile *profile =
		    settings_auth(settings, "ex");

		g_assert_nonnull(profile);
		g_assert_cmpstr(profile->username, ==, "u");
		g_assert_cmpstr(profile->password, ==, passwords[i].password);
		g_assert_true(settings_auth(settings, "EX") == profile);
		g_assert_null(settings_auth(settings, "x"));
	}
}

/* What is left of "username = " and this: all of it. */
static void
test_usernames(void)
{
	static const char *const names[] = {"CORP\\test", "CORP\\svc",
	    "\\relay", "corp\\\\x", "a\\nb", "trailing\\", "a;b", "%s\\t"};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *text =
		    g_strdup_printf("[auth M365]\nusername = %s\n"
				    "password-file = /p\n",
			names[i]);
		g_autoptr(Settings) settings = fixture_settings(text);

		g_assert_cmpstr(settings_auth(settings, "m365")->username, ==,
		    names[i]);
	}
}

/* As some editors save it. */
static void
test_byte_order_mark(void)
{
	g_autoptr(Settings) first =
	    fixture_settings("\xef\xbb\xbf[smtproute]\nroutes = /r\n");
	g_autoptr(Settings) comment = fixture_settings(
	    "\xef\xbb\xbf# comment\n[smtproute]\nroutes = /r\n");

	g_assert_cmpstr(first->routes, ==, "/r");
	g_assert_cmpstr(comment->routes, ==, "/r");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("accepted", accepted, test_accepted);
	TABLE_ADD("host", hosts, test_host);
	TABLE_ADD("size", sizes, test_size);
	TABLE_ADD("sessions are counted", countings, test_counting);
	g_test_add_func("/passwords", test_passwords);
	g_test_add_func("/user names are literal", test_usernames);
	g_test_add_func("/a byte order mark is no text", test_byte_order_mark);
	g_test_add_func("/the defaults", test_defaults);
	return g_test_run();
}
