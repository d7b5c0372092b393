/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Settings: smtproute.conf(5), a GKeyFile.
 */
#ifndef SMTPROUTE_SETTINGS_H
#define SMTPROUTE_SETTINGS_H

#include <glib.h>

#include "conf/groups.h"
#include "conf/keyfile.h"

/* What an error's message is shorter than; the list of all keys is half. */
#define SETTINGS_ERROR_BYTES 1000

/*
 * Reads @path.  NULL with SETTINGS_ERROR, one printable line of less than
 * SETTINGS_ERROR_BYTES: "path: reason" if the file cannot be read, otherwise
 * "path:line: what; expected ...".
 */
struct settings *
settings_load(const char *path, GError **error);

/* Who has more is not helped by the next one. */
#define SETTINGS_FAULTS_MAX 100

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

/* Does any route choose the host that has the fewest sessions? */
gboolean
settings_have_leastconn(const struct settings *settings);

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
