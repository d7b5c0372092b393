/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line that only one format has decides, unless another line decides for
 * another format.  Without such lines it is the format that could have most
 * of them.  Of several nobody can tell: "domain:host" without any blank is the
 * ESA's as well as qmail's, and their default routes are written differently.
 * Only transport and mailertable mean the same where both would do.
 */

#include <config.h>

#include <string.h>

#include "ctl/import/import-formats.h"
#include "ctl/import/import-guess.h"
#include "ctl/import/import-text.h"

static const struct import_format *const formats[] = {
    &import_qmail,
    &import_esa,
    &import_transport,
    &import_mailertable,
};

/* More of a line says no more about its format. */
#define LOOK_MAX 4096

struct tally {
	guint lines;
	guint maybe[G_N_ELEMENTS(formats)]; /* or sure */
	guint sure[G_N_ELEMENTS(formats)];
};

static void
count_line(struct tally *tally, const struct import_text *line)
{
	g_autofree char *head =
	    g_strndup(line->at, MIN(line->length, LOOK_MAX));
	char *rest = head;

	while (*rest != '\0' && !g_ascii_isspace(*rest))
		rest++;
	if (*rest != '\0')
		*rest++ = '\0';
	rest = g_strstrip(rest);
	tally->lines++;
	for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
		enum import_claim claim = formats[i]->claim(head, rest);

		tally->maybe[i] += claim != CLAIM_NO;
		tally->sure[i] += claim == CLAIM_SURE;
	}
}

/* Would another format do as well as this one? */
static gboolean
is_tied(const struct tally *tally, gsize best)
{
	for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
		gboolean same = formats[best] == &import_transport &&
		    formats[i] == &import_mailertable;

		if (i != best && !same && tally->maybe[i] == tally->maybe[best])
			return TRUE;
	}
	return FALSE;
}

static const struct import_format *
decide(const struct tally *tally)
{
	gsize best = 0;
	gsize sure = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
		sure += tally->sure[i] > 0;
		if (tally->maybe[i] > tally->maybe[best])
			best = i;
	}
	for (gsize i = 0; sure == 1 && i < G_N_ELEMENTS(formats); i++) {
		if (tally->sure[i] > 0)
			best = i;
	}
	/* Most of the lines must be possible, one at least. */
	if (sure > 1 || tally->maybe[best] == 0 ||
	    tally->maybe[best] < tally->lines - tally->maybe[best] ||
	    (sure == 0 && is_tied(tally, best)))
		return NULL;
	return formats[best];
}

const struct import_format *
import_guess(const char *text, gsize length)
{
	struct tally tally = {0};
	struct import_walk walk;
	struct import_text line;

	import_walk_begin(&walk, text, length);
	while (import_next_line(&walk, &line)) {
		if (line.length > 0 && line.at[0] != '#' &&
		    !g_ascii_isspace(line.at[0]))
			count_line(&tally, &line);
	}
	return decide(&tally);
}
