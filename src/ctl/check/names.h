/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of hosts, looked up side by side.
 */
#ifndef SMTPROUTE_CTL_NAMES_H
#define SMTPROUTE_CTL_NAMES_H

#include "conf/settings.h"
#include "ctl/check/check-entry.h"

/* Of all lookups together. */
#define NAMES_TIME (30 * G_TIME_SPAN_SECOND)

/* A name as the first route has it that has it. */
struct name {
	struct place place;
	const char *text;
	gboolean mail;     /* MX records come first */
	gboolean done;     /* was it looked up? */
	GError *error;     /* why it has no address; NULL: it has */
	GArray *addresses; /* of its best exchangers, or its own; NULL: none */
};

/* Refers to the text, and to what the place refers to. */
struct name *
name_new(const struct place *place, const char *text, gboolean mail);

/* Of a pointer array. */
void
name_free(gpointer data);

/* As many of the names as there is time for. */
void
names_look_up(const GPtrArray *names, const struct settings *settings);

#endif
