/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of "smtproutectl check" share: what they know of settings,
 * routes and Postfix, and what they have found.
 */
#ifndef SMTPROUTE_CTL_CHECK_H
#define SMTPROUTE_CTL_CHECK_H

#include <glib.h>

#include "conf/keyfile.h"
#include "conf/settings.h"
#include "ctl/agent.h"
#include "ctl/finding.h"
#include "ctl/tables.h"

struct check {
	const char *conf;          /* the settings' path */
	struct settings *settings; /* NULL: the file cannot be read */
	struct keyfile *keyfile;   /* the lines that they come from */
	const GPtrArray *faults;   /* of the settings, in them */
	GPtrArray *services;       /* all of master.cf; NULL: no Postfix */
	struct tables *tables;     /* of that Postfix */
	struct findings findings;
	GBytes *map;          /* the routes' copy (mapcopy.h); NULL: none */
	gboolean without_dns; /* are no names looked up? */
	guint routes;         /* in the map */
	guint hosts;          /* in all routes, name and port */
	struct agent *agent;  /* whom to ask what can be read; NULL: nobody */
	/* For check-security.c: */
	GHashTable *said;     /* of hosts, a set */
	GHashTable *keys;     /* of [route], that the map has, a set */
	GHashTable *rates;    /* of hosts, for check-rates.c */
	GHashTable *profiles; /* that routes refer to, a set */
	GHashTable *groups;   /* of [host], that routes refer to, a set */
	gboolean any_group;   /* any may: USEDNS for whatever domain */
	char *dane;           /* the first place with tls=dane; NULL: none */
	gboolean whole;       /* has every route been read? */
};

/* All but @conf is yet to be found out. */
void
check_begin(struct check *check, const char *conf);

/* Can the value of a settings' key be used, or is it at fault? */
gboolean
check_knows(const struct check *check, const char *key);

/* Frees what it holds. */
void
check_end(struct check *check);

#endif
