/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values of smtproute.conf(5): each function takes the text of one into
 * *field, or returns FALSE and leaves *field alone.  What @field points to is
 * said above each group; strings are kept in @texts.
 */
#ifndef SMTPROUTE_VALUE_H
#define SMTPROUTE_VALUE_H

#include <glib.h>

/* A string: const char *, in @texts. */
gboolean
value_take_text(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_path(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_path_or_nothing(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_name(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_address(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_word(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_username(const char *text, GStringChunk *texts, void *field);

/* @text is a mask: who knows the password puts it in its place. */
gboolean
value_take_password(const char *text, GStringChunk *texts, void *field);

/*
 * Strings in the form in which they are used.  Where nothing is a value, it
 * leaves *field alone, too; NULL is the log of syslog.
 */
gboolean
value_take_routes(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_log(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_helo_name(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_keywords(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_refusals(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_addresses(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_dns_servers(const char *text, GStringChunk *texts, void *field);

/* Times: gint64, in microseconds. */
gboolean
value_take_time(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_patience(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_time_limit(const char *text, GStringChunk *texts, void *field);

/* Numbers: guint; where 0 is no limit, NO_LIMIT. */
gboolean
value_take_number(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_connections(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_strangers(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_messages(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_line_limit(const char *text, GStringChunk *texts, void *field);

/* struct rates. */
gboolean
value_take_rates(const char *text, GStringChunk *texts, void *field);

/* Choices: the enum of settings.h, tlslevel.h or family.h. */
gboolean
value_take_family(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_tls(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_when_unsure(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_balance(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_secret_modes(const char *text, GStringChunk *texts, void *field);

gboolean
value_take_answer(const char *text, GStringChunk *texts, void *field);

/* One of OpenSSL's numbers: int. */
gboolean
value_take_min_protocol(const char *text, GStringChunk *texts, void *field);

#endif
