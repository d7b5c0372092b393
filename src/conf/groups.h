/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The groups of smtproute.conf(5), as settings.h has read them.
 */
#ifndef SMTPROUTE_GROUPS_H
#define SMTPROUTE_GROUPS_H

#include <glib.h>

#include "address/family.h"
#include "conf/choosing.h"
#include "conf/tlslevel.h"
#include "util/rate.h"
#include "util/secret.h"

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

#endif
