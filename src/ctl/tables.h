/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Postfix's tables, asked by postmap(1).  It reads a text of a million lines
 * anew each time it runs: what is asked for together is one run, and nothing
 * is asked for twice.
 */
#ifndef SMTPROUTE_CTL_TABLES_H
#define SMTPROUTE_CTL_TABLES_H

#include <glib.h>

#include "ctl/command.h"

/* Which tables have been asked for what; nothing yet. */
struct tables *
tables_new(void);

void
tables_free(struct tables *tables);

typedef struct tables Tables;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tables, tables_free)

/* Asks @map, "type:name", for all of @keys at once; NULL at their end. */
void
tables_ask(struct tables *tables, const char *map, const char *const *keys);

/* The same of each of @maps, of transport_split(). */
void
tables_ask_all(struct tables *tables, char *const *maps,
    const char *const *keys);

/*
 * *ret_value is what @map has for @key, a new string, or NULL, nothing.
 * FALSE with COMMAND_ERROR: it cannot say, and is not asked again.
 */
gboolean
tables_look_up(struct tables *tables, const char *map, const char *key,
    char **ret_value, GError **error);

/*
 * The first of the maps, of transport_split(), that has @key, NULL for none;
 * *ret_value is what it has.  FALSE: one before it cannot say.
 */
gboolean
tables_first(struct tables *tables, char *const *maps, const char *key,
    const char **ret_map, char **ret_value);

/* Can Postfix use the table "type:/path"?  FALSE with what it minds. */
gboolean
tables_try(const char *map, GError **error);

#endif
