/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Postfix's configuration, by postconf(1).
 */
#ifndef SMTPROUTE_CTL_POSTCONF_H
#define SMTPROUTE_CTL_POSTCONF_H

#include <glib.h>

#include "ctl/command.h"
#include "ctl/service.h"

/*
 * In all of them: @folder is the one of main.cf and master.cf, NULL the one
 * that Postfix's commands choose ($MAIL_CONFIG).  COMMAND_ERROR_MISSING says
 * that there is no Postfix here.
 */

/*
 * The value of a parameter, "" for an unknown one; with @expand without $name
 * in it.  A new string, NULL with an error.
 */
char *
postconf_value(const char *folder, const char *name, gboolean expand,
    GError **error);

/* As it is in effect, expanded; "" if there is no telling.  A new string. */
char *
postconf_effective(const char *name);

/* Postfix's time, in seconds unless it has a unit.  FALSE: it is none. */
gboolean
postconf_seconds(const char *text, guint64 *ret);

/* What it is unless main.cf says otherwise, a new string; NULL: no Postfix. */
char *
postconf_default(const char *name);

/* The services, an array of struct service; NULL with an error. */
GPtrArray *
postconf_services(const char *folder, GError **error);

/* The one of this name and type; NULL: there is none. */
const struct service *
postconf_find(const GPtrArray *services, const char *name, const char *type);

/* Does any parameter name the table "type:/path"? */
gboolean
postconf_mentions(const char *folder, const char *table);

/*
 * Edits one of the two files, in one step: the @option is "-M" for master.cf,
 * "-e" for main.cf.  @edits: "what=value", NULL at the end.
 */
gboolean
postconf_edit(const char *folder, const char *option, const char *const *edits,
    GError **error);

#endif
