/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/trace/logline.h"
#include "util/printable.h"

/* "Nov 28 09:15:07" */
#define STAMP_LENGTH 15

#define PROGRAM_SHOWN 60

/* The two digits at @text; a blank is a 0. */
static int
two_digits(const char *text)
{
	int tens = text[0] == ' ' ? 0 : g_ascii_digit_value(text[0]);
	int ones = g_ascii_digit_value(text[1]);

	return tens < 0 || ones < 0 ? -1 : 10 * tens + ones;
}

/* 1 to 12; 0: it is none. */
static int
month_at(const char *text)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++) {
		if (strncmp(text, names + 3 * i, 3) == 0)
			return i + 1;
	}
	return 0;
}

static gint64
local_time(int year, const char *stamp)
{
	g_autoptr(GDateTime) date = g_date_time_new_local(year, month_at(stamp),
	    two_digits(stamp + 4), two_digits(stamp + 7),
	    two_digits(stamp + 10), (gdouble)two_digits(stamp + 13));

	return date != NULL ? g_date_time_to_unix(date) : -1;
}

/* -1: it is none. */
static gint64
parse_old(const char *line)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	gint64 time;

	if (strlen(line) < STAMP_LENGTH || month_at(line) == 0)
		return -1;
	time = local_time(g_date_time_get_year(now), line);
	/* The clocks of two machines may differ, and some years have a 29th. */
	if (time < 0 || time > g_date_time_to_unix(now) + 24 * 3600)
		time = local_time(g_date_time_get_year(now) - 1, line);
	return time;
}

static gint64
parse_iso(const char *line, gsize length)
{
	g_autofree char *text = g_strndup(line, length);
	g_autoptr(GTimeZone) local = g_time_zone_new_local();
	g_autoptr(GDateTime) date = g_date_time_new_from_iso8601(text, local);

	return date != NULL ? g_date_time_to_unix(date) : -1;
}

/* -1: the line has none; *ret_rest is what is behind it. */
static gint64
parse_stamp(const char *line, const char **ret_rest)
{
	gsize length = STAMP_LENGTH;

	if (g_ascii_isdigit(line[0])) {
		length = strcspn(line, " ");
		*ret_rest = line + length;
		return parse_iso(line, length);
	}
	*ret_rest = line + MIN(length, strlen(line));
	return parse_old(line);
}

/* Of "postfix/smtpd[123]" what is behind the last slash, a new string. */
static char *
program_of(const char *tag, gsize length)
{
	g_autofree char *text = g_strndup(tag, length);
	char *slash;

	text[strcspn(text, "[")] = '\0';
	slash = strrchr(text, '/');
	return printable(slash != NULL ? slash + 1 : text, PROGRAM_SHOWN);
}

gboolean
logline_parse(const char *line, const char *id, struct logline *ret)
{
	g_autofree char *mark = g_strconcat(": ", id, ": ", NULL);
	const char *found = strstr(line, mark);
	const char *at;
	gint64 time;

	/* Most lines are another's; the stamp costs more. */
	if (found == NULL)
		return FALSE;
	time = parse_stamp(line, &at);
	if (time < 0 || at[0] != ' ')
		return FALSE;
	/* The host and the tag, no more: what follows may be forged. */
	at += strspn(at, " ");
	at += strcspn(at, " ");
	at += strspn(at, " ");
	if (at >= found || at + strcspn(at, " ") != found + 1)
		return FALSE;
	ret->time = time;
	ret->program = program_of(at, (gsize)(found - at));
	ret->message = found + strlen(mark);
	return TRUE;
}
