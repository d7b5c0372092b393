/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <stdlib.h>

#include "ctl/ctl.h"
#include "ctl/document.h"
#include "util/printable.h"

/* Longer than every name, reply and error. */
#define TEXT_MAX 4000

/* Microseconds of any time to come, without digits that are only noise. */
#define FORM (JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15))

/* As GLib does, in place of members that are missing. */
static void
expect_memory(int result)
{
	if (result != 0)
		g_error("out of memory");
}

void
document_set_value(json_t *to, const char *name, json_t *value)
{
	expect_memory(json_object_set_new(to, name, value));
}

static json_t *
new_text(const char *text)
{
	g_autofree char *shown = printable(text, TEXT_MAX);

	return json_string(shown);
}

void
document_set_text(json_t *to, const char *name, const char *text)
{
	document_set_value(to, name,
	    text != NULL ? new_text(text) : json_null());
}

void
document_set_count(json_t *to, const char *name, guint64 count)
{
	document_set_value(to, name,
	    json_integer((json_int_t)MIN(count, G_MAXINT64)));
}

void
document_set_flag(json_t *to, const char *name, gboolean flag)
{
	document_set_value(to, name, json_boolean(flag));
}

void
document_set_null(json_t *to, const char *name)
{
	document_set_value(to, name, json_null());
}

void
document_set_number(json_t *to, const char *name, double number)
{
	document_set_value(to, name, json_real(number));
}

void
document_set_span(json_t *to, const char *name, gint64 span)
{
	document_set_number(to, name, (double)span / G_USEC_PER_SEC);
}

void
document_set_count_if(json_t *to, const char *name, gboolean known,
    guint64 count)
{
	if (known)
		document_set_count(to, name, count);
	else
		document_set_null(to, name);
}

void
document_set_span_if(json_t *to, const char *name, gboolean known, gint64 span)
{
	if (known)
		document_set_span(to, name, span);
	else
		document_set_null(to, name);
}

void
document_set_time(json_t *to, const char *name, gint64 time)
{
	g_autoptr(GDateTime) date = time <= 0
	    ? NULL
	    : g_date_time_new_from_unix_utc(time / G_USEC_PER_SEC);
	g_autofree char *text = NULL;

	if (date != NULL)
		text = g_date_time_format(date, "%Y-%m-%dT%H:%M:%SZ");
	document_set_text(to, name, text);
}

json_t *
document_set_object(json_t *to, const char *name)
{
	json_t *object = json_object();

	document_set_value(to, name, object);
	return object;
}

json_t *
document_set_array(json_t *to, const char *name)
{
	json_t *array = json_array();

	document_set_value(to, name, array);
	return array;
}

json_t *
document_add_object(json_t *to)
{
	json_t *object = json_object();

	expect_memory(json_array_append_new(to, object));
	return object;
}

void
document_add_text(json_t *to, const char *text)
{
	expect_memory(json_array_append_new(to, new_text(text)));
}

static void
say_value(const json_t *value)
{
	char *text = json_dumps(value, FORM);

	expect_memory(text == NULL);
	say("%s", text);
	free(text);
}

void
document_say(json_t *document)
{
	say_value(document);
	say("\n");
	json_decref(document);
}

void
document_say_lines(json_t *array)
{
	say("[");
	for (gsize i = 0; i < json_array_size(array); i++) {
		say(i == 0 ? "\n" : ",\n");
		say_value(json_array_get(array, i));
	}
	say("\n]\n");
	json_decref(array);
}
