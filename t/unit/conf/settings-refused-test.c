/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Settings that are refused, and how the messages say so.
 */
#include <config.h>

#include <string.h>

#include <glib/gstdio.h>

#include "conf/settings.h"
#include "unit/conffile.h"
#include "unit/table.h"

/* @message stands without "path:", and '*' in it is anything. */
struct refused {
	const char *says;
	const char *text;
	enum settings_error code;
	const char *message;
};

#define CODE(name) SETTINGS_ERROR_##name

#define SMTPROUTE_KEYS                                                         \
	"routes, state-directory, helo-name, log, syslog-name, "               \
	"connect-timeout, greeting-timeout, command-timeout, data-timeout, "   \
	"final-timeout, time-limit, retry-min, retry-max, when-unsure, "       \
	"patience, waiting, balance, slow-start, wake, dsn, tls, "             \
	"tls-ca-file, tls-min-protocol, tls-ciphers, tls-cert-file, "          \
	"tls-key-file, auth-in-clear, "                                        \
	"dns-servers, dns-trust-ad, dns-address-limit, dns-session-limit, "    \
	"dns-time-limit, own-addresses, address-family, max-connections, "     \
	"max-messages, rate, rate-recipients, spool-directory, secret-modes"
#define HOST_KEYS                                                              \
	"helo-name, connect-timeout, greeting-timeout, command-timeout, "      \
	"data-timeout, final-timeout, tls, tls-ca-file, tls-min-protocol, "    \
	"tls-ciphers, tls-cert-file, tls-key-file, tls-name, auth, "           \
	"auth-in-clear, bind, ehlo-ignore, next-host-on, line-limit, "         \
	"transcript, address-family, max-connections, max-messages, "          \
	"rate, rate-recipients"
#define AUTH_KEYS  "username, password-file, token-file, password"
#define AUTH_GROUP "username and one of password-file, token-file and password"
#define PATH       "an absolute path"
#define TIME       "a whole number and s, m or h, from 1s to 24h"
#define AUTH_NAME  "letters, digits, '-', '_' and '.'"
#define TIME_LIMIT                                                             \
	"a whole number and s, m or h, from 1s to 970s, since pipe(8) "        \
	"bounces mail after 1000s"
#define WORD  "one word of at most 64 printable ASCII characters"
#define NAME  "a domain, an address literal as [192.0.2.1], or nothing"
#define LEVEL "none, may, encrypt, secure, dane or wrapper"
#define DNS                                                                    \
	"addresses as 192.0.2.1, 192.0.2.1:53 or [2001:db8::1]:53, "           \
	"or nothing"
#define RETRY       "retry-min is longer than retry-max; expected at most as long"
#define CONNECTIONS "a whole number up to 10000, 0 for no limit"
#define LINE        "[group], key = value or # comment"
#define HOST        "NAME, NAME:PORT, [ADDRESS]:PORT or an address"
#define GROUP                                                                  \
	"[smtproute], [host NAME], [host NAME:PORT], [route KEY] or "          \
	"[auth NAME]"
#define ROUTE_KEYS "when-unsure, patience, waiting, balance, slow-start"
#define BAD(value, key, expected)                                              \
	"2: bad value \"" value "\" of " key "; expected " expected
#define RATES "none, or rates as 30:1m, 10000:1d, of spans from 1s to 31d"
#define BAD_RATE(value, key, column)                                           \
	"2: bad value \"" value "\" of " key ", at column " column             \
	"; expected " RATES
#define BAD_LIMIT(value)                                                       \
	BAD(value, "line-limit",                                               \
	    "a size from 78 to 1M as 998 or 1K, 0 for no limit")
#define BAD_HOST(group) "1: bad host in [" group "]; expected " HOST

/* A group of 60 bytes, which messages show whole. */
#define S60 "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"

static const struct refused refused[] = {
    {"an unknown group", "\n[smtproutes]\n", CODE(KEY),
	"2: unknown group [smtproutes]; expected " GROUP},
    {"a group in capitals", "[SMTPROUTE]\n", CODE(KEY),
	"1: unknown group [SMTPROUTE]; expected " GROUP},
    {"a group with blanks", "[ smtproute ]\n", CODE(KEY),
	"1: unknown group [ smtproute ]; expected " GROUP},
    {"a group of no profile", "[auth]\n", CODE(KEY),
	"1: unknown group [auth]; expected " GROUP},
    {"a profile without a name", "[auth ]\n", CODE(VALUE),
	"1: bad profile in [auth ]; expected " AUTH_NAME},
    {"a profile that no route can name", "[auth a b]\n", CODE(VALUE),
	"1: bad profile in [auth a b]; expected " AUTH_NAME},
    {"a profile without anything", "[auth ex]\n", CODE(VALUE),
	"1: [auth ex] has no username; expected " AUTH_GROUP},
    {"a profile without a username", "[auth ex]\npassword = x\n", CODE(VALUE),
	"1: [auth ex] has no username; expected " AUTH_GROUP},
    {"a profile without a password", "\n[auth ex]\nusername = u\n", CODE(VALUE),
	"2: [auth ex] has no password; expected " AUTH_GROUP},
    {"a profile with two passwords",
	"[auth ex]\nusername = u\npassword = x\npassword-file = /p\n",
	CODE(VALUE),
	"1: [auth ex] has more than one password; expected " AUTH_GROUP},
    {"a password and a token",
	"[auth ex]\nusername = u\ntoken-file = /t\npassword-file = /p\n",
	CODE(VALUE),
	"1: [auth ex] has more than one password; expected " AUTH_GROUP},
    {"an unknown key of a profile", "[auth ex]\nuser = u\n", CODE(KEY),
	"2: unknown key \"user\"; expected " AUTH_KEYS},
    {"a profile's key for all", "[smtproute]\nusername = u\n", CODE(KEY),
	"2: unknown key \"username\"; expected " SMTPROUTE_KEYS},
    {"an empty username", "[auth ex]\nusername =\n", CODE(VALUE),
	BAD("", "username", "1 to 255 bytes")},
    {"a username too long for libESMTP",
	"[auth ex]\nusername = " S60 S60 S60 S60 "0123456789abcdef\n",
	CODE(VALUE), BAD("sss*sss...", "username", "1 to 255 bytes")},
    {"an empty password", "[auth ex]\npassword =\n", CODE(VALUE),
	BAD("", "password", "1 to 255 bytes")},
    {"a password too long for libESMTP",
	"[auth ex]\npassword = " S60 S60 S60 S60 "0123456789abcdef\n",
	CODE(VALUE),
	"2: bad value \"*...\" of password; expected 1 to 255 bytes"},
    {"a password file without a path", "[auth ex]\npassword-file = p\n",
	CODE(VALUE), BAD("*", "password-file", PATH)},
    {"a token file without a path", "[auth ex]\ntoken-file = t\n", CODE(VALUE),
	BAD("*", "token-file", PATH)},
    {"a host's profile without a group", "[host a]\nauth = ex\n", CODE(VALUE),
	BAD("ex", "auth", "a profile with a group [auth NAME]")},
    {"a host group without a host", "[host]\n", CODE(KEY),
	"1: unknown group [host]; expected " GROUP},
    {"an unknown key", "[smtproute]\n\n# x\n rotues = /r\n", CODE(KEY),
	"4: unknown key \"rotues\"; expected " SMTPROUTE_KEYS},
    {"a key in capitals", "[smtproute]\nRoutes = /r\n", CODE(KEY),
	"2: unknown key \"Routes\"; expected " SMTPROUTE_KEYS},
    {"a translated key", "[smtproute]\nroutes[de] = /r\n", CODE(KEY),
	"2: unknown key \"routes[de]\"; expected " SMTPROUTE_KEYS},
    {"a host's key for all", "[smtproute]\nauth = ex\n", CODE(KEY),
	"2: unknown key \"auth\"; expected " SMTPROUTE_KEYS},
    {"everybody's key for a host", "[host a]\nroutes = /r\n", CODE(KEY),
	"2: unknown key \"routes\"; expected " HOST_KEYS},
    {"a very long key", "[smtproute]\n" S60 S60 S60 " = x\n", CODE(KEY),
	"2: unknown key \"sss*sss...\"; expected " SMTPROUTE_KEYS},
    {"a key twice", "[smtproute]\ntls = may\n\ntls = none\n", CODE(KEY),
	"4: key \"tls\" again; expected once, and line 2 has it"},
    {"the same key twice, unknown", "[smtproute]\nx=\nx=\n", CODE(KEY),
	"3: key \"x\" again; expected once, and line 2 has it"},
    {"a group twice", "[smtproute]\n[host a]\n[smtproute]\n", CODE(KEY),
	"3: group \"smtproute\" again; expected once, and line 1 has it"},
    {"a host twice in other letters", "[host a.b]\n[host A.B.]\n", CODE(KEY),
	"2: second group for the host of [host A.B.]; "
	"expected one"},
    {"an address twice in other digits", "[host ::1]\n[host 0::01]\n",
	CODE(KEY),
	"2: second group for the host of [host 0::01]; "
	"expected one"},
    {"a profile twice in other letters",
	"[auth ex]\nusername = u\n"
	"password-file = /p\n[auth EX]\n",
	CODE(KEY),
	"4: second group for the profile of [auth EX], where letters are "
	"alike in upper and lower case; expected one"},

    {"a line that is nothing", "[smtproute]\n\nroutes /r\n# x\n", CODE(SYNTAX),
	"3: *routes /r*; expected " LINE},
    {"the first fault of two", "[smtproute]\nx\ny\n", CODE(SYNTAX),
	"2: *; expected " LINE},
    {"a fault in a last line without end", "[smtproute]\nroutes", CODE(SYNTAX),
	"2: *; expected " LINE},
    {"a key before the first group", "# x\nroutes = /r\n[smtproute]\n",
	CODE(SYNTAX), "2: *; expected " LINE},
    {"a value without a key", "[smtproute]\n= /r\n", CODE(SYNTAX),
	"2: *; expected " LINE},
    {"half a pair of brackets", "[smtproute]\n[host [::1:25]\n", CODE(SYNTAX),
	"2: *; expected " LINE},
    {"the other half", "[smtproute]\n[host ::1]:25]\n", CODE(SYNTAX),
	"2: *; expected " LINE},
    {"two pairs of brackets", "[smtproute]\n[host [[::1]]:25]\n", CODE(SYNTAX),
	"2: *; expected " LINE},
    {"brackets behind a name", "[host mx[::1]:25]\n", CODE(SYNTAX),
	"1: *; expected " LINE},
    {"brackets in another group", "[route [::1]]\n", CODE(SYNTAX),
	"1: *; expected " LINE},
    {"something behind the group", "[host [::1]:25] x\n", CODE(SYNTAX),
	"1: *; expected " LINE},
    {"a bad address in brackets", "[host [::g]:25]\n", CODE(VALUE),
	BAD_HOST("host [::g]:25")},
    {"no address in brackets", "[host []:25]\n", CODE(VALUE),
	BAD_HOST("host []:25")},
    {"a bad port behind brackets", "[host [::1]:0]\n", CODE(VALUE),
	BAD_HOST("host [::1]:0")},
    {"no port behind brackets", "[host [::1]:]\n", CODE(VALUE),
	BAD_HOST("host [::1]:")},
    {"no colon behind brackets", "[host [::1]25]\n", CODE(VALUE),
	BAD_HOST("host [::1]25")},
    {"what GLib has for brackets", "[host \xee\x80\x80::1\xee\x80\x81:25]\n",
	CODE(VALUE), "1: bad host in *; expected " HOST},
    {"an unknown key of a group with brackets", "[host [::1]:25]\nx =\n",
	CODE(KEY), "2: unknown key \"x\"; expected *"},
    {"an address twice, with brackets and without",
	"[host ::1]\n[host [0::01]]\n", CODE(KEY),
	"2: second group for the host of [host [0::01]]; expected one"},
    {"a group with brackets twice", "[host [::1]]\n[host [::1]] \n", CODE(KEY),
	"2: group \"host [::1]\" again; expected once, and line 1 has it"},
    {"a very long line", "[smtproute]\n" S60 S60 S60 S60 S60 "\n", CODE(SYNTAX),
	"2: *sss...; expected " LINE},
    {"Latin-1", "[smtproute]\n# caf\xe9\n", CODE(SYNTAX),
	"2: byte that is not UTF-8; expected text in UTF-8"},
    {"half a letter at the end", "[smtproute]\n# caf\xc3", CODE(SYNTAX),
	"2: byte that is not UTF-8; expected text in UTF-8"},

    {"an empty path", "[smtproute]\nroutes =\n", CODE(VALUE),
	BAD("", "routes", PATH)},
    {"a relative path", "[smtproute]\nroutes = r\n", CODE(VALUE),
	BAD("r", "routes", PATH)},
    {"another type of table", "[smtproute]\nroutes = hash:/r\n", CODE(VALUE),
	BAD("hash:/r", "routes", PATH)},
    {"a relative indexed path", "[smtproute]\nroutes = lmdb:r\n", CODE(VALUE),
	BAD("lmdb:r", "routes", PATH)},
    {"a relative state directory", "[smtproute]\nstate-directory = s\n",
	CODE(VALUE), BAD("s", "state-directory", PATH)},
    {"a relative spool directory", "[smtproute]\nspool-directory = .\n",
	CODE(VALUE), BAD(".", "spool-directory", PATH)},
    {"a control character", "[smtproute]\nroutes = /r\x01\n", CODE(VALUE),
	BAD("/r?", "routes", PATH)},
    {"a HELO name with a blank", "[smtproute]\nhelo-name = a b\n", CODE(VALUE),
	BAD("a b", "helo-name", NAME)},
    {"an address for a HELO name", "[smtproute]\nhelo-name = 192.0.2.1\n",
	CODE(VALUE), BAD("192.0.2.1", "helo-name", NAME)},
    {"half a literal", "[smtproute]\nhelo-name = [192.0.2.1\n", CODE(VALUE),
	BAD("[192.0.2.1", "helo-name", NAME)},
    {"no log", "[smtproute]\nlog =\n", CODE(VALUE),
	BAD("", "log", "syslog, postlog, or file: and " PATH)},
    {"a log without its kind", "[smtproute]\nlog = /l\n", CODE(VALUE),
	BAD("/l", "log", "syslog, postlog, or file: and " PATH)},
    {"a relative log", "[smtproute]\nlog = file:l\n", CODE(VALUE),
	BAD("file:l", "log", "syslog, postlog, or file: and " PATH)},
    {"an empty syslog name", "[smtproute]\nsyslog-name =\n", CODE(VALUE),
	BAD("", "syslog-name", WORD)},
    {"two words of a syslog name", "[smtproute]\nsyslog-name = a b\n",
	CODE(VALUE), BAD("a b", "syslog-name", WORD)},
    {"a letter that is not ASCII", "[smtproute]\nsyslog-name = \xc3\xa9\n",
	CODE(VALUE), BAD("*", "syslog-name", WORD)},
    {"65 letters", "[smtproute]\nsyslog-name = " S60 "sssss\n", CODE(VALUE),
	BAD("sss*...", "syslog-name", WORD)},
    {"no time", "[smtproute]\nconnect-timeout =\n", CODE(VALUE),
	BAD("", "connect-timeout", TIME)},
    {"a time without a unit", "[smtproute]\nconnect-timeout = 30\n",
	CODE(VALUE), BAD("30", "connect-timeout", TIME)},
    {"a unit without a time", "[smtproute]\nconnect-timeout = s\n", CODE(VALUE),
	BAD("s", "connect-timeout", TIME)},
    {"another unit", "[smtproute]\nconnect-timeout = 1d\n", CODE(VALUE),
	BAD("1d", "connect-timeout", TIME)},
    {"a unit in capitals", "[smtproute]\nconnect-timeout = 1S\n", CODE(VALUE),
	BAD("1S", "connect-timeout", TIME)},
    {"a blank before the unit", "[smtproute]\nconnect-timeout = 1 s\n",
	CODE(VALUE), BAD("1 s", "connect-timeout", TIME)},
    {"a fraction", "[smtproute]\nconnect-timeout = 1.5s\n", CODE(VALUE),
	BAD("1.5s", "connect-timeout", TIME)},
    {"a sign", "[smtproute]\nconnect-timeout = +1s\n", CODE(VALUE),
	BAD("+1s", "connect-timeout", TIME)},
    {"a negative time", "[smtproute]\nconnect-timeout = -1s\n", CODE(VALUE),
	BAD("-1s", "connect-timeout", TIME)},
    {"no time at all", "[smtproute]\nconnect-timeout = 0s\n", CODE(VALUE),
	BAD("0s", "connect-timeout", TIME)},
    {"a second more than a day", "[smtproute]\nfinal-timeout = 86401s\n",
	CODE(VALUE), BAD("86401s", "final-timeout", TIME)},
    {"more than a day in hours", "[smtproute]\nfinal-timeout = 25h\n",
	CODE(VALUE), BAD("25h", "final-timeout", TIME)},
    {"a time that overflows",
	"[smtproute]\ndata-timeout = 99999999999999999999999h\n", CODE(VALUE),
	BAD("99999999999999999999999h", "data-timeout", TIME)},
    {"a comment after a value", "[smtproute]\ndata-timeout = 3m # x\n",
	CODE(VALUE), BAD("3m # x", "data-timeout", TIME)},
    {"a time limit that pipe does not grant",
	"[smtproute]\ntime-limit = 971s\n", CODE(VALUE),
	BAD("971s", "time-limit", TIME_LIMIT)},
    {"a time limit in hours", "[smtproute]\ntime-limit = 1h\n", CODE(VALUE),
	BAD("1h", "time-limit", TIME_LIMIT)},
    {"a retry time without a unit", "[smtproute]\nretry-min = 5\n", CODE(VALUE),
	BAD("5", "retry-min", TIME)},
    {"no retry time", "[smtproute]\nretry-max = 0s\n", CODE(VALUE),
	BAD("0s", "retry-max", TIME)},
    {"a first retry after the last", "[smtproute]\nretry-min = 10m\n",
	CODE(VALUE), "2: " RETRY},
    {"the same with both keys",
	"[smtproute]\nretry-max = 2s\n\nretry-min = 3s\n", CODE(VALUE),
	"4: " RETRY},
    {"a negative number of connections", "[smtproute]\nmax-connections = -1\n",
	CODE(VALUE), BAD("-1", "max-connections", CONNECTIONS)},
    {"too many connections", "[host a]\nmax-connections = 10001\n", CODE(VALUE),
	BAD("10001", "max-connections", CONNECTIONS)},
    {"no message on a connection", "[smtproute]\nmax-messages = 0\n",
	CODE(VALUE), BAD("0", "max-messages", "a whole number from 1 to 1000")},
    {"another thing when unsure", "[smtproute]\nwhen-unsure = bounce\n",
	CODE(VALUE), BAD("bounce", "when-unsure", "defer or next")},
    {"a rate of nothing", "[smtproute]\nrate = 0:1m\n", CODE(VALUE),
	BAD_RATE("0:1m", "rate", "8")},
    {"the second rate", "[host a]\n\trate-recipients=5:1s ,\t 7:1w\n",
	CODE(VALUE), BAD_RATE("5:1s ,* 7:1w", "rate-recipients", "26")},
    {"no rate at all", "[smtproute]\nrate =\n", CODE(VALUE),
	BAD_RATE("", "rate", "7")},
    {"another balance", "[smtproute]\nbalance = random\n", CODE(VALUE),
	BAD("random", "balance", "roundrobin or leastconn")},
    {"a key of hosts in a route", "[route a]\ntls = none\n", CODE(KEY),
	"2: unknown key \"tls\"; expected " ROUTE_KEYS},
    {"a key of routes in a host", "[host a]\nbalance = leastconn\n", CODE(KEY),
	"2: unknown key \"balance\"; expected " HOST_KEYS},
    {"two groups for a route",
	"[route B\xc3\xbcro.Example]\n"
	"[route xn--bro-hoa.example.]\n",
	CODE(KEY),
	"2: second group for the route of [route xn--bro-hoa.example.]; "
	"expected one"},
    {"patience without a unit", "[smtproute]\npatience = 5\n", CODE(VALUE),
	BAD("5", "patience",
	    "0, or a whole number and s, m or h, from 1s to 24h")},
    {"too many that wait", "[smtproute]\nwaiting = 10001\n", CODE(VALUE),
	BAD("10001", "waiting", "a whole number up to 10000")},
    {"another level", "[smtproute]\ntls = maybe\n", CODE(VALUE),
	BAD("maybe", "tls", LEVEL)},
    {"the level that is none", "[smtproute]\ntls = unset\n", CODE(VALUE),
	BAD("unset", "tls", LEVEL)},
    {"an empty level", "[smtproute]\ntls =\n", CODE(VALUE),
	BAD("", "tls", LEVEL)},
    {"a file of authorities without a path",
	"[smtproute]\ntls-ca-file = ca.pem\n", CODE(VALUE),
	BAD("ca.pem", "tls-ca-file", "an absolute path, or nothing")},
    {"a protocol of the past", "[smtproute]\ntls-min-protocol = SSLv3\n",
	CODE(VALUE),
	BAD("SSLv3", "tls-min-protocol", "TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3")},
    {"a name with a star", "[host a]\ntls-name = *.example\n", CODE(VALUE),
	BAD("*.example", "tls-name", "a host name")},
    {"neither yes nor no", "[smtproute]\nauth-in-clear = true\n", CODE(VALUE),
	BAD("true", "auth-in-clear", "yes or no")},
    {"trust of another kind", "[smtproute]\ndns-trust-ad =\n", CODE(VALUE),
	BAD("", "dns-trust-ad", "yes or no")},
    {"no address of a stranger", "[smtproute]\ndns-address-limit = 0\n",
	CODE(VALUE),
	BAD("0", "dns-address-limit", "a whole number from 1 to 100")},
    {"too many sessions with strangers",
	"[smtproute]\ndns-session-limit = 101\n", CODE(VALUE),
	BAD("101", "dns-session-limit", "a whole number from 1 to 100")},
    {"too long a time for strangers", "[smtproute]\ndns-time-limit = 971s\n",
	CODE(VALUE),
	BAD("971s", "dns-time-limit",
	    "a whole number and s, m or h, from 1s to 970s")},
    {"an own address with a port",
	"[smtproute]\nown-addresses = 192.0.2.1:25\n", CODE(VALUE),
	BAD("192.0.2.1:25", "own-addresses",
	    "IPv4 and IPv6 addresses without brackets, or nothing")},
    {"own addresses that are none", "[smtproute]\nown-addresses = ,\n",
	CODE(VALUE),
	BAD(",", "own-addresses",
	    "IPv4 and IPv6 addresses without brackets, or nothing")},
    {"a family that is none", "[smtproute]\naddress-family = inet\n",
	CODE(VALUE),
	BAD("inet", "address-family",
	    "any, ipv4, ipv6, prefer-ipv4 or prefer-ipv6")},
    {"a DNS server's name", "[smtproute]\ndns-servers = ns.example\n",
	CODE(VALUE), BAD("ns.example", "dns-servers", DNS)},
    {"a DNS server without a port", "[smtproute]\ndns-servers = ::1 1:\n",
	CODE(VALUE), BAD("::1 1:", "dns-servers", DNS)},
    {"port 0", "[smtproute]\ndns-servers = 192.0.2.1:0\n", CODE(VALUE),
	BAD("192.0.2.1:0", "dns-servers", DNS)},
    {"port 65536", "[smtproute]\ndns-servers = 192.0.2.1:65536\n", CODE(VALUE),
	BAD("192.0.2.1:65536", "dns-servers", DNS)},
    {"a bracket that stays open", "[smtproute]\ndns-servers = [::1\n",
	CODE(VALUE), BAD("[::1", "dns-servers", DNS)},
    {"something after the bracket", "[smtproute]\ndns-servers = [::1]5\n",
	CODE(VALUE), BAD("[::1]5", "dns-servers", DNS)},
    {"one bad DNS server", "[smtproute]\ndns-servers = ::1, x, ::2\n",
	CODE(VALUE), BAD("::1, x, ::2", "dns-servers", DNS)},
    {"nothing but a comma", "[smtproute]\ndns-servers = ,\n", CODE(VALUE),
	BAD(",", "dns-servers", DNS)},

    {"a host with a blank", "[host a b]\n", CODE(VALUE), BAD_HOST("host a b")},
    {"a host of nothing", "[host ]\n", CODE(VALUE), BAD_HOST("host ")},
    {"a misspelt address", "[host 192.0.2.256]\n", CODE(VALUE),
	BAD_HOST("host 192.0.2.256")},
    {"a host's port 0", "[host a:0]\n", CODE(VALUE), BAD_HOST("host a:0")},
    {"a host's port 65536", "[host a:65536]\n", CODE(VALUE),
	BAD_HOST("host a:65536")},
    {"a host's empty port", "[host a:]\n", CODE(VALUE), BAD_HOST("host a:")},
    {"a port without a host", "[host :25]\n", CODE(VALUE),
	BAD_HOST("host :25")},
    {"a port after the port", "[host a:25:25]\n", CODE(VALUE),
	BAD_HOST("host a:25:25")},
    {"a limit that cuts headers", "[host a]\nline-limit = 77\n", CODE(VALUE),
	BAD_LIMIT("77")},
    {"a limit beyond the greatest", "[host a]\nline-limit = 1048577\n",
	CODE(VALUE), BAD_LIMIT("1048577")},
    {"more than one M", "[host a]\nline-limit = 2M\n", CODE(VALUE),
	BAD_LIMIT("2M")},
    {"more K than an M", "[host a]\nline-limit = 1025K\n", CODE(VALUE),
	BAD_LIMIT("1025K")},
    {"a limit that wraps around", "[host a]\nline-limit = 18014398509481985K\n",
	CODE(VALUE), BAD_LIMIT("18014398509481985K")},
    {"a size in a letter that is none", "[host a]\nline-limit = 1k\n",
	CODE(VALUE), BAD_LIMIT("1k")},
    {"a unit alone", "[host a]\nline-limit = K\n", CODE(VALUE), BAD_LIMIT("K")},
    {"a blank before the K", "[host a]\nline-limit = 1 K\n", CODE(VALUE),
	BAD_LIMIT("1 K")},
    {"a size with a sign", "[host a]\nline-limit = +1K\n", CODE(VALUE),
	BAD_LIMIT("+1K")},
    {"no size at all", "[host a]\nline-limit =\n", CODE(VALUE), BAD_LIMIT("")},
    {"other modes of secrets", "[smtproute]\nsecret-modes = 0644\n",
	CODE(VALUE), BAD("0644", "secret-modes", "strict or shared")},
    {"a refusal that is none", "[host a]\nnext-host-on = 4.7.1\n", CODE(VALUE),
	BAD("4.7.1", "next-host-on",
	    "enhanced codes as 5.7.54, or with a code as 550 5.4.5")},
    {"no keyword", "[host a]\nehlo-ignore =\n", CODE(VALUE),
	BAD("", "ehlo-ignore", "keywords of EHLO as SIZE, 8BITMIME")},
    {"a key of hosts for all", "[smtproute]\nehlo-ignore = SIZE\n", CODE(KEY),
	"2: unknown key \"ehlo-ignore\"; expected " SMTPROUTE_KEYS},
    {"a name to bind to", "[host a]\nbind = b\n", CODE(VALUE),
	BAD("b", "bind", "an IPv4 or IPv6 address without brackets")},
    {"no profile", "[host a]\nauth =\n", CODE(VALUE), BAD("", "auth", WORD)},
};

static void
test_refused(gconstpointer data)
{
	const struct refused *row = data;
	g_autoptr(GError) error = NULL;
	g_autofree char *pattern =
	    g_strconcat(conffile_path, ":", row->message, NULL);

	conffile_write(row->text, strlen(row->text));
	g_assert_null(settings_load(conffile_path, &error));
	g_assert_error(error, SETTINGS_ERROR, (gint)row->code);
	if (error == NULL)
		return;
	if (!g_pattern_match_simple(pattern, error->message))
		g_assert_cmpstr(error->message, ==, pattern);
	conffile_check_message(error->message);
}

static void
test_nul(void)
{
	static const char text[] = "[smtproute]\n# \0\n";
	g_autoptr(GError) error = NULL;

	conffile_write(text, sizeof(text) - 1);
	g_assert_null(settings_load(conffile_path, &error));
	g_assert_error(error, SETTINGS_ERROR, SETTINGS_ERROR_SYNTAX);
	g_assert_nonnull(
	    strstr(error->message, ":2: NUL byte; expected text in UTF-8"));
}

/* The longest of everything: path, line number, key and list of keys. */
static void
test_longest_message(void)
{
	g_autofree char *name = g_strnfill(200, 'n');
	g_autofree char *lines = g_strnfill(10000, '\n');
	g_autofree char *key = g_strnfill(500, 'k');
	g_autofree char *text =
	    g_strconcat(lines, "[smtproute]\n", key, "=\n", NULL);
	g_autofree char *longer = g_build_filename(conffile_folder, name, NULL);
	g_autoptr(GError) error = NULL;

	g_file_set_contents(longer, text, -1, NULL);
	g_assert_null(settings_load(longer, &error));
	g_unlink(longer);
	g_assert_error(error, SETTINGS_ERROR, SETTINGS_ERROR_KEY);
	conffile_check_message(error->message);
}

int
main(int argc, char **argv)
{
	int result;

	g_test_init(&argc, &argv, NULL);
	conffile_begin();
	TABLE_ADD("refused", refused, test_refused);
	g_test_add_func("/a NUL byte", test_nul);
	g_test_add_func("/the longest message", test_longest_message);
	result = g_test_run();
	conffile_end();
	return result;
}
