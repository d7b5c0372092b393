/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of "smtproutectl check".
 */
#ifndef SMTPROUTE_CTL_CHECK_H
#define SMTPROUTE_CTL_CHECK_H

#include <glib.h>

#include "conf/settings.h"
#include "ctl/agent.h"
#include "ctl/finding.h"
#include "ctl/service.h"
#include "dns/resolve.h"
#include "route/maptext.h"
#include "route/route.h"

struct check {
	const char *conf;          /* the settings' path */
	struct settings *settings; /* NULL: the file cannot be read */
	GPtrArray *faults;         /* of the settings */
	GPtrArray *services;       /* all of master.cf; NULL: no Postfix */
	struct findings findings;
	guint routes;        /* in the map */
	guint hosts;         /* in all routes, name and port */
	struct agent *agent; /* whom to ask what can be read; NULL: nobody */
	/* For check-security.c: */
	GHashTable *said;     /* of hosts, a set */
	GHashTable *profiles; /* that routes refer to, a set */
	char *dane;           /* the first place with tls=dane; NULL: none */
	gboolean whole;       /* has every route been read? */
};

/* Can the value of a settings' key be used, or is it at fault? */
gboolean
check_knows(const struct check *check, const char *key);

/* The route map, with the hosts in it. */
void
check_routes(struct check *check);

/*
 * One entry of the map @path: says every fault, and returns the route if there
 * is none.
 */
struct route *
check_entry(struct findings *findings, const char *path,
    const struct maptext_entry *entry);

/*
 * "path:line:column" of the destination @index, counted from 0, of an entry
 * without fault.  A new string.
 */
char *
check_entry_place(const char *path, const struct maptext_entry *entry,
    guint index);

/* Names to look up, and local addresses to try; see check-hosts.c. */
struct hosts;

struct hosts *
hosts_new(const struct settings *settings);

void
hosts_add(struct hosts *hosts, const char *path,
    const struct maptext_entry *entry, const struct route *route);

/* Says what is wrong with them; returns how many there are. */
guint
hosts_check(struct hosts *hosts, struct findings *findings);

void
hosts_free(struct hosts *hosts);

/* TLS and AUTH as the hosts of a route have them. */
void
check_route_security(struct check *check, const char *path,
    const struct maptext_entry *entry, const struct route *route);

/* What that takes besides routes: DNS. */
void
check_dns_security(struct check *check);

/* What of TLS and AUTH is in the settings, and the files that it takes. */
void
check_secrets(struct check *check);

/* Files and folders: who can read and write them.  Finds the agent. */
void
check_files(struct check *check);

/* main.cf and master.cf. */
void
check_postfix(struct check *check);

/* One service of ours, by master.cf and Postfix's compatibility_level. */
void
check_service(struct findings *findings, const struct service *service,
    const char *level);

/* Does the service read these settings? */
gboolean
check_service_reads(const struct service *service, const char *conf);

/* "master.cf: name/type", a new string. */
char *
check_service_place(const struct service *service);

/* For g_autoptr(), which wants one word. */
typedef struct hosts Hosts;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hosts, hosts_free)

#endif
