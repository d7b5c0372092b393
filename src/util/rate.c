/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "util/rate.h"

#define SECOND ((gint64)G_USEC_PER_SEC)

#define NONE "none"

static const struct {
	char suffix;
	gint64 span;
} units[] = {
    {'d', 86400 * SECOND},
    {'h', 3600 * SECOND},
    {'m', 60 * SECOND},
    {'s', SECOND},
};

static gboolean
parse_span(const char *text, gint64 *ret)
{
	gsize length = strlen(text);
	g_autofree char *digits = NULL;
	guint64 count;

	if (length == 0)
		return FALSE;
	digits = g_strndup(text, length - 1);
	for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
		if (text[length - 1] != units[i].suffix)
			continue;
		if (!g_ascii_string_to_unsigned(digits, 10, 1,
			(guint64)(RATE_SPAN_MAX / units[i].span), &count, NULL))
			return FALSE;
		*ret = (gint64)count * units[i].span;
		return TRUE;
	}
	return FALSE;
}

/* @text: one rate, without blanks. */
static gboolean
parse_rate(const char *text, struct rate *ret)
{
	const char *colon = strchr(text, ':');
	g_autofree char *digits = NULL;
	guint64 count;

	if (colon == NULL)
		return FALSE;
	digits = g_strndup(text, (gsize)(colon - text));
	if (!g_ascii_string_to_unsigned(digits, 10, 1, RATE_COUNT_MAX, &count,
		NULL) ||
	    !parse_span(colon + 1, &ret->span))
		return FALSE;
	ret->count = (guint32)count;
	return TRUE;
}

static gboolean
add_rate(struct rates *rates, const char *text)
{
	struct rate rate;

	if (rates->count == RATES_MAX || !parse_rate(text, &rate))
		return FALSE;
	for (guint i = 0; i < rates->count; i++) {
		if (rates->rate[i].span == rate.span)
			return FALSE;
	}
	rates->rate[rates->count++] = rate;
	return TRUE;
}

gboolean
rates_parse(const char *text, char separator, struct rates *ret, gsize *ret_at)
{
	struct rates rates = {.set = TRUE};
	const char *at = text;

	*ret_at = 0;
	if (strcmp(text, NONE) == 0) {
		*ret = rates;
		return TRUE;
	}
	for (;;) {
		const char *end;
		g_autofree char *part = NULL;

		while (*at == ' ' || *at == '\t')
			at++;
		end = strchr(at, separator);
		if (end == NULL)
			end = at + strlen(at);
		part = g_strchomp(g_strndup(at, (gsize)(end - at)));
		*ret_at = (gsize)(at - text);
		if (!add_rate(&rates, part))
			return FALSE;
		if (*end == '\0')
			break;
		at = end + 1;
	}
	*ret = rates;
	return TRUE;
}

char *
rate_span_text(gint64 span)
{
	for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
		if (span >= units[i].span && span % units[i].span == 0)
			return g_strdup_printf("%" G_GINT64_FORMAT "%c",
			    span / units[i].span, units[i].suffix);
	}
	return g_strdup_printf("%" G_GINT64_FORMAT "us", span);
}

char *
rates_text(const struct rates *rates, const char *separator)
{
	GString *text = g_string_new(rates->count == 0 ? NONE : NULL);

	for (guint i = 0; i < rates->count; i++) {
		g_autofree char *span = rate_span_text(rates->rate[i].span);

		g_string_append_printf(text, "%s%u:%s", i > 0 ? separator : "",
		    rates->rate[i].count, span);
	}
	return g_string_free(text, FALSE);
}
