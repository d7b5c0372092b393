/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One key of smtproute.conf(5): where it may stand, what it accepts, its
 * default.
 */
#ifndef SMTPROUTE_SETTING_H
#define SMTPROUTE_SETTING_H

#include <glib.h>

#include "conf/groups.h"

enum setting_place {
	IN_SMTPROUTE = 1,
	IN_HOST = 2,
	IN_AUTH = 4,
	IN_ROUTE = 8,
	IN_BOTH = IN_SMTPROUTE | IN_HOST,
	IN_WAYS = IN_SMTPROUTE | IN_ROUTE,
};

struct setting {
	const char *name;
	enum setting_place place;
	gsize offset; /* see the table in setting.c */
	gboolean (*take)(const char *text, GStringChunk *texts, void *field);
	const char *value;    /* the default, NULL: zero */
	const char *accepted; /* for messages: what the value may be */
};

/* NULL: there is no such key in that place. */
const struct setting *
setting_find(enum setting_place place, const char *name);

/* For messages: the keys of a place, a new string. */
char *
setting_list(enum setting_place place);

/*
 * Sets the field of *settings or *group that the key stands for; @group: a
 * struct host_settings, auth_profile for a key of IN_AUTH, choosing for
 * IN_ROUTE.  FALSE: @text is not accepted, the field is untouched.
 */
gboolean
setting_take(const struct setting *setting, const char *text,
    struct settings *settings, void *group);

/* Gives every key its default. */
void
setting_take_defaults(struct settings *settings);

#endif
