/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>
#include <sysexits.h>

#include "address/mailbox.h"
#include "agent/verdict.h"
#include "util/printable.h"

/* A path and a reason. */
#define VERDICT_NOTE_MAX 300

void
verdict_set(struct verdict *verdict, enum verdict_kind kind, const char *dsn,
    const char *format, ...)
{
	char *text;
	va_list ap;

	va_start(ap, format);
	text = g_strdup_vprintf(format, ap);
	va_end(ap);
	g_free(verdict->text);
	verdict->kind = kind;
	g_strlcpy(verdict->dsn, dsn, sizeof(verdict->dsn));
	verdict->text = text;
}

void
verdict_set_mixed(struct verdict *verdict, const char *why)
{
	/* 4.3.5: system incorrectly configured (RFC 3463 section 3.4). */
	verdict_set(verdict, VERDICT_DEFER, "4.3.5",
	    "recipients of one call were answered differently and nothing "
	    "was sent: set smtproute_destination_recipient_limit = 1; %s",
	    why);
}

void
verdict_refuse_address(struct verdict *verdict, const char *which,
    const GError *error)
{
	verdict_set(verdict, VERDICT_BOUNCE,
	    g_error_matches(error, MAILBOX_ERROR, MAILBOX_ERROR_UTF8) ? "5.6.7"
								      : "5.1.3",
	    "%s address: %s", which, error->message);
}

void
verdict_clear(struct verdict *verdict)
{
	g_free(verdict->text);
	g_free(verdict->note);
	memset(verdict, 0, sizeof(*verdict));
}

/* The kind, unless code and kind contradict each other. */
static enum verdict_kind
agreed_kind(const struct verdict *verdict)
{
	static const char classes[] = {
	    [VERDICT_DEFER] = '4',
	    [VERDICT_BOUNCE] = '5',
	    [VERDICT_DELIVERED] = '2',
	};
	char dsn[DSN_SIZE];

	if (verdict->text == NULL ||
	    !dsn_parse(verdict->dsn, classes[verdict->kind], dsn))
		return VERDICT_DEFER;
	return verdict->kind;
}

void
verdict_note(struct verdict *verdict, const char *format, ...)
{
	va_list ap;

	g_free(verdict->note);
	va_start(ap, format);
	verdict->note = g_strdup_vprintf(format, ap);
	va_end(ap);
}

/* " (note)", a new string of at most VERDICT_NOTE_MAX bytes. */
static char *
shown_note(const struct verdict *verdict)
{
	g_autofree char *note = NULL;

	if (verdict->note == NULL)
		return g_strdup("");
	note = printable(verdict->note, VERDICT_NOTE_MAX - strlen(" ()"));
	return g_strdup_printf(" (%s)", note);
}

char *
verdict_line(const struct verdict *verdict)
{
	const char *text = verdict->text != NULL ? verdict->text : "no verdict";
	gboolean agreed = agreed_kind(verdict) != VERDICT_DEFER;
	g_autofree char *note = shown_note(verdict);
	g_autofree char *line = NULL;
	g_autofree char *shown = NULL;
	char dsn[DSN_SIZE];

	if (agreed || dsn_parse(verdict->dsn, '4', dsn))
		line = g_strconcat(verdict->dsn, " ", text, NULL);
	else
		line = g_strconcat("4.3.0 ", text, NULL);
	shown = printable(line, VERDICT_LINE_MAX - strlen(note));
	return g_strconcat(shown, note, NULL);
}

/* Postfix goes by the line's code; the status says the same to people. */
static int
bounce_status(const char *dsn)
{
	static const struct {
		const char *dsn; /* ends in '.': all that begin so */
		int status;
	} table[] = {
	    {"5.1.2", EX_NOHOST},  /* bad destination system */
	    {"5.1.10", EX_NOHOST}, /* null MX (RFC 7505) */
	    {"5.1.7", EX_DATAERR}, /* bad sender, by its form */
	    {"5.1.8", EX_NOHOST},  /* bad sender, by its domain */
	    {"5.4.4", EX_NOHOST},  /* unable to route */
	    {"5.1.", EX_NOUSER},   /* addressing */
	    {"5.2.1", EX_NOUSER},  /* mailbox disabled */
	    {"5.6.", EX_DATAERR},  /* content */
	    {"5.7.", EX_NOPERM},   /* security, policy */
	};

	for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
		if (g_str_equal(dsn, table[i].dsn) ||
		    (g_str_has_suffix(table[i].dsn, ".") &&
			g_str_has_prefix(dsn, table[i].dsn)))
			return table[i].status;
	return EX_UNAVAILABLE;
}

int
verdict_status(const struct verdict *verdict)
{
	switch (agreed_kind(verdict)) {
	case VERDICT_DELIVERED:
		return EX_OK;
	case VERDICT_BOUNCE:
		return bounce_status(verdict->dsn);
	case VERDICT_DEFER:
	default:
		return EX_TEMPFAIL;
	}
}
