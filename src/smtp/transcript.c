/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "smtp/transcript.h"
#include "util/printable.h"

/* As much of a line, and so many lines of a reply, as are of interest. */
#define LINE_SHOWN  500
#define LINES_SHOWN 50

#define HIDDEN "***"

static void
say(const struct transcript *transcript, gboolean ours, const char *text)
{
	g_autofree char *line = printable(text, LINE_SHOWN);

	transcript->said(ours, line, transcript->data);
}

/* "AUTH PLAIN ***"; without a response nothing is to be hidden. */
static char *
hide_response(const char *command)
{
	const char *mechanism = command + strlen("AUTH ");
	gsize length = strcspn(mechanism, " ");

	return g_strdup_printf("AUTH %.*s%s", (int)length, mechanism,
	    mechanism[length] != '\0' ? " " HIDDEN : "");
}

static void
say_command(struct transcript *transcript, const char *text, gsize length)
{
	g_autofree char *hidden = NULL;
	g_autofree char *command = NULL;

	if (transcript->challenged) {
		transcript->challenged = FALSE;
		say(transcript, TRUE, HIDDEN);
	} else if (length >= strlen("AUTH ") &&
	    g_ascii_strncasecmp(text, "AUTH ", strlen("AUTH ")) == 0) {
		command = g_strndup(text, MIN(length, LINE_SHOWN));
		hidden = hide_response(command);
		explicit_bzero(command, strlen(command));
		say(transcript, TRUE, hidden);
	} else {
		command = g_strndup(text, length);
		say(transcript, TRUE, command);
	}
}

void
transcript_ours(struct transcript *transcript, const char *commands,
    gsize length)
{
	const char *end = commands + length;

	if (transcript->said == NULL)
		return;
	while (commands < end) {
		const char *lf =
		    memchr(commands, '\n', (gsize)(end - commands));
		const char *stop = lf != NULL ? lf : end;
		gsize span = (gsize)(stop - commands);

		if (span > 0 && commands[span - 1] == '\r')
			span--;
		say_command(transcript, commands, span);
		commands = lf != NULL ? lf + 1 : end;
	}
}

void
transcript_content(struct transcript *transcript, guint64 octets)
{
	g_autofree char *text = NULL;

	if (transcript->said == NULL)
		return;
	text =
	    g_strdup_printf("(content, %" G_GUINT64_FORMAT " octets)", octets);
	say(transcript, TRUE, text);
}

void
transcript_theirs(struct transcript *transcript, const struct reply *reply)
{
	guint count = MIN(reply->lines->len, LINES_SHOWN);

	transcript->challenged = reply->code == 334;
	if (transcript->said == NULL)
		return;
	for (guint i = 0; i < count; i++) {
		const char *line = g_ptr_array_index(reply->lines, i);
		gboolean last = i + 1 == reply->lines->len;
		g_autofree char *text = g_strdup_printf("%d%c%s", reply->code,
		    last ? ' ' : '-', line);

		say(transcript, FALSE, text);
	}
	if (count < reply->lines->len)
		say(transcript, FALSE, "...");
}
