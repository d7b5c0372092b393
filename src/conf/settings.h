/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Settings: smtproute.conf(5), a GKeyFile.
 */
#ifndef SMTPROUTE_SETTINGS_H
#define SMTPROUTE_SETTINGS_H

#include <glib.h>

#include "address/family.h"
#include "conf/choosing.h"
#include "conf/tlslevel.h"
#include "util/rate.h"
#include "util/secret.h"

#define SETTINGS_ERROR (settings_error_quark())

enum settings_error {
	SETTINGS_ERROR_FILE,   /* cannot be read */
	SETTINGS_ERROR_SYNTAX, /* not a key file */
	SETTINGS_ERROR_KEY,    /* unknown group or key */
	SETTINGS_ERROR_VALUE,
};

GQuark
settings_error_quark(void);

/* Spans in microseconds. */
struct timeouts {
	gint64 connect;
	gint64 greeting;
	gint64 command;
	gint64 data;
	gint64 final;
};

enum answer {
	ANSWER_UNSET, /* zero: not said here, a more general place decides */
	ANSWER_NO,
	ANSWER_YES,
};

/* What may differ from host to host. */
struct host_settings {
	struct timeouts timeouts;
	enum tls_level tls;
	int tls_min_protocol;      /* TLS1_2_VERSION, ...; 0: not set */
	const char *tls_ca_file;   /* "": the system's; NULL: not set */
	const char *tls_ciphers;   /* "": OpenSSL's; NULL: not set */
	const char *tls_cert_file; /* "": none; NULL: not set */
	const char *tls_key_file;  /* "": the same file; NULL: not set */
	const char *tls_name;      /* NULL: the host's own */
	enum answer auth_in_clear;
	const char *auth; /* a profile, NULL: none */
	const char *bind; /* NULL: any */
	enum address_family family;
	const char *helo_name;   /* NULL: that of all hosts */
	const char *ehlo_ignore; /* keywords; NULL: none.  See wordlist.h */
	guint line_limit;        /* octets, NO_LIMIT: none; 0: not set */
	enum answer transcript;
	const char *next_host_on; /* refusals that count as 4xx; NULL: none */
	guint max_connections;    /* 0: not set */
	guint max_messages;       /* on one connection; 0: not set */
	struct rates rate;        /* of transactions */
	struct rates rate_recipients;
};

/* What libESMTP's plug-in for PLAIN has room for, of each of two. */
#define AUTH_TEXT_MAX 255

/* [auth NAME]: who we are to a host. */
struct auth_profile {
	const char *username;
	const char *password_file;
	const char *token_file;
	const char *password; /* belongs to the settings, which wipe it */
};

/* For max_connections. */
#define NO_LIMIT G_MAXUINT

struct settings {
	const char *routes;
	const char *state_directory;
	const char *helo_name; /* NULL: this machine's full name */
	const char *log;       /* as maillog_open() wants it */
	const char *syslog_name;
	const char *dns_servers; /* NULL: the system's */
	enum answer dns_trust_ad;
	guint dns_address_limit;   /* of hosts that strangers chose */
	guint dns_session_limit;   /* likewise */
	gint64 dns_time_limit;     /* microseconds, likewise */
	const char *own_addresses; /* with commas; NULL: the interfaces' only */
	const char *spool_directory;
	enum secret_modes secret_modes;
	gint64 time_limit; /* these three in microseconds */
	gint64 retry_min;  /* for how long a host is down, */
	gint64 retry_max;  /* at first and at most */
	enum answer wake;
	enum answer dsn;
	struct host_settings defaults;
	struct choosing choosing; /* of all routes */
	GHashTable *routes_apart; /* for settings_choosing() only */
	GHashTable *hosts;        /* for settings_host() only */
	GHashTable *profiles;     /* for settings_auth() only */
	GPtrArray *secrets;       /* for profiles */
	const char *path;         /* of the file, where passwords may stand */
	GStringChunk *texts;      /* owns every string above */
};

/* More than anybody writes by hand; what is larger is another file. */
#define SETTINGS_SIZE_MAX (1024 * 1024)

/*
 * Reads @path.  NULL with SETTINGS_ERROR, one printable line of less than 1000
 * bytes: "path: reason" if the file cannot be read, otherwise
 * "path:line: what; expected ...".
 */
struct settings *
settings_load(const char *path, GError **error);

/* One fault of a file of settings. */
struct settings_fault {
	guint line;      /* 0: the file cannot be read */
	const char *key; /* whose value is bad; NULL: something else is */
	GError *error;   /* as settings_load() gives the first one */
};

/* Who has more is not helped by the next one. */
#define SETTINGS_FAULTS_MAX 100

struct keyfile;

/*
 * Reads on behind a fault.  *ret_keyfile is the file as it was read, the
 * caller's, with its lines and all its faults (keyfile.h).  What is at fault
 * is left out of the settings.  NULL: @path cannot be read, and that is the
 * fault.
 */
struct settings *
settings_load_all(const char *path, struct keyfile **ret_keyfile);

/*
 * What holds for a host written as @name in the route map, canonical form
 * without brackets.  Key by key: "[host name:port]", else "[host name]", else
 * the defaults.  The strings belong to @settings.
 */
struct host_settings
settings_host(const struct settings *settings, const char *name, guint16 port);

/*
 * What holds for a route with this key in the map, or for one that has none:
 * NULL.
 */
struct choosing
settings_choosing(const struct settings *settings, const char *key);

/* Is there a group [route ...] for the key? */
gboolean
settings_have_route(const struct settings *settings, const char *key);

/* Is there any group [host ...]?  Without, settings_host() has the defaults. */
gboolean
settings_have_hosts(const struct settings *settings);

/*
 * What settings_host() finds a group by: of the group [host @text], NULL if
 * that is no host, and of a host with @port, or with 0 for all its ports.  New
 * strings.
 */
char *
settings_group_id(const char *text);

char *
settings_host_id(const char *name, guint port);

/*
 * The group [auth NAME], in whatever case: flags=h of pipe(8) makes a nexthop,
 * which may be a route, lower case.  NULL: there is none.
 */
const struct auth_profile *
settings_auth(const struct settings *settings, const char *name);

void
settings_free(struct settings *settings);

/* For g_autoptr(), which wants one word. */
typedef struct settings Settings;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settings, settings_free)

#endif
