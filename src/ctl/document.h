/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Documents for scripts, as --json says them: JSON (RFC 8259) by Jansson.
 * Members stay in the order that they are set in.
 */
#ifndef SMTPROUTE_CTL_DOCUMENT_H
#define SMTPROUTE_CTL_DOCUMENT_H

#include <glib.h>
#include <jansson.h>

/* Printable ASCII, whatever @text is; NULL is null. */
void
document_set_text(json_t *to, const char *name, const char *text);

void
document_set_count(json_t *to, const char *name, guint64 count);

void
document_set_flag(json_t *to, const char *name, gboolean flag);

void
document_set_null(json_t *to, const char *name);

void
document_set_number(json_t *to, const char *name, double number);

/* Microseconds, as a number of seconds. */
void
document_set_span(json_t *to, const char *name, gint64 span);

/* The same two, but null unless they are @known. */
void
document_set_count_if(json_t *to, const char *name, gboolean known,
    guint64 count);

void
document_set_span_if(json_t *to, const char *name, gboolean known, gint64 span);

/* ISO 8601, UTC, of microseconds since 1970; null unless after that. */
void
document_set_time(json_t *to, const char *name, gint64 time);

/* Takes @value over. */
void
document_set_value(json_t *to, const char *name, json_t *value);

/* A new object, or array, that is a member of @to; borrowed. */
json_t *
document_set_object(json_t *to, const char *name);

json_t *
document_set_array(json_t *to, const char *name);

/* A new object at the end of the array @to; borrowed. */
json_t *
document_add_object(json_t *to);

void
document_add_text(json_t *to, const char *text);

/* On stdout, in one line, and frees it. */
void
document_say(json_t *document);

/* The same of an array, with a line for each element. */
void
document_say_lines(json_t *array);

#endif
