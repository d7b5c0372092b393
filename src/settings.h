/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Settings: smtproute.conf(5), a GKeyFile.
 */
#ifndef SMTPROUTE_SETTINGS_H
#define SMTPROUTE_SETTINGS_H

#include <glib.h>

#include "tlslevel.h"

#define SETTINGS_ERROR (settings_error_quark())

enum settings_error {
	SETTINGS_ERROR_FILE,   /* cannot be read */
	SETTINGS_ERROR_SYNTAX, /* not a key file */
	SETTINGS_ERROR_KEY,    /* unknown group or key */
	SETTINGS_ERROR_VALUE,
};

GQuark
settings_error_quark(void);

enum when_unsure {
	WHEN_UNSURE_DEFER,
	WHEN_UNSURE_NEXT,
};

/* Spans in microseconds. */
struct timeouts {
	gint64 connect;
	gint64 greeting;
	gint64 command;
	gint64 data;
	gint64 final;
};

/* What may differ from host to host. */
struct host_settings {
	struct timeouts timeouts;
	enum tls_level tls;
	const char *auth; /* NULL: none */
	const char *bind; /* NULL: any */
};

struct settings {
	const char *routes;
	const char *state_directory;
	const char *helo_name; /* NULL: this machine's full name */
	const char *log;       /* NULL: syslog, else the path of a file */
	const char *syslog_name;
	const char *dns_servers; /* NULL: the system's */
	const char *spool_directory;
	gint64 time_limit; /* microseconds */
	enum when_unsure when_unsure;
	struct host_settings defaults;
	GHashTable *hosts;   /* for settings_host() only */
	GStringChunk *texts; /* owns every string above */
};

/* More than anybody writes by hand; what is larger is another file. */
#define SETTINGS_SIZE_MAX (1024 * 1024)

/*
 * Reads @path.  NULL with SETTINGS_ERROR, one printable line of less than 500
 * bytes: "path: reason" if the file cannot be read, otherwise
 * "path:line: what; expected ...".
 */
struct settings *
settings_load(const char *path, GError **error);

/*
 * What holds for a host written as @name in the route map, canonical form
 * without brackets.  Key by key: "[host name:port]", else "[host name]", else
 * the defaults.  The strings belong to @settings.
 */
struct host_settings
settings_host(const struct settings *settings, const char *name, guint16 port);

void
settings_free(struct settings *settings);

/* For g_autoptr(), which wants one word. */
typedef struct settings Settings;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settings, settings_free)

#endif
