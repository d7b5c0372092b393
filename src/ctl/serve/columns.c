/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "ctl/serve/columns.h"

#define HOUR (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)

/* In the units of the picture. */
#define STEP  10 /* from column to column */
#define WIDTH 8
#define LINE  40 /* where columns stand */
#define TALL  38 /* the highest */
#define DEEP  12 /* failures, below the line */
#define LEAST 2  /* one in a million is to be seen, too */

/* What a kind is called: in the style, and by people. */
static const struct {
	const char *mark;
	const char *word;
} kinds[HOURLY_KINDS] = {
    [HOURLY_SENT] = {"sent", "sent"},
    [HOURLY_DEFERRED] = {"late", "deferred"},
    [HOURLY_BOUNCED] = {"back", "bounced"},
    [HOURLY_FAILED] = {"fail", "failures"},
};

/* What a day's columns are measured by. */
struct scale {
	guint64 mail; /* the most in an hour, of all kinds of mail */
	guint64 failures;
};

guint64
columns_sum(const struct hourly *hourly, gint64 now, enum hourly_kind kind)
{
	guint64 sum = 0;

	for (guint ago = 0; ago < HOURLY_HOURS; ago++)
		sum += hourly_get(hourly, now, ago, kind);
	return sum;
}

static guint64
mail_of(const struct hourly *hourly, gint64 now, guint ago)
{
	guint64 sum = 0;

	for (guint kind = 0; kind < HOURLY_FAILED; kind++)
		sum += hourly_get(hourly, now, ago, (enum hourly_kind)kind);
	return sum;
}

static struct scale
measure(const struct hourly *hourly, gint64 now)
{
	struct scale scale = {0};

	for (guint ago = 0; ago < HOURLY_HOURS; ago++) {
		guint64 failures = hourly_get(hourly, now, ago, HOURLY_FAILED);

		scale.mail = MAX(scale.mail, mail_of(hourly, now, ago));
		scale.failures = MAX(scale.failures, failures);
	}
	return scale;
}

/* "sent 12, deferred 3", of those that are not 0. */
static void
add_words(GString *to, const guint64 counts[HOURLY_KINDS])
{
	const char *comma = "";

	for (guint kind = 0; kind < HOURLY_KINDS; kind++) {
		if (counts[kind] == 0)
			continue;
		g_string_append_printf(to, "%s%s %" G_GUINT64_FORMAT, comma,
		    kinds[kind].word, counts[kind]);
		comma = ", ";
	}
	if (comma[0] == '\0')
		g_string_append(to, "nothing");
}

static void
add_box(GString *to, const char *mark, guint x, guint y, guint height)
{
	g_string_append_printf(to,
	    "<rect class=\"%s\" x=\"%u\" y=\"%u\" width=\"%d\" "
	    "height=\"%u\"/>",
	    mark, x, y, WIDTH, height);
}

/* "10:00: sent 12": what a pointer shows. */
static void
add_title(GString *to, gint64 now, guint ago, const guint64 counts[])
{
	gint64 begin = (now / HOUR - ago) * HOUR / G_USEC_PER_SEC;
	g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(begin);
	g_autofree char *text =
	    date != NULL ? g_date_time_format(date, "%H:%M") : g_strdup("");

	g_string_append_printf(to, "<title>from %s: ", text);
	add_words(to, counts);
	g_string_append(to, "</title>");
}

static guint
height_of(guint64 count, guint64 most, guint full)
{
	return MAX((guint)(count * full / MAX(most, 1)), LEAST);
}

static void
add_column(GString *to, const struct hourly *hourly, gint64 now, guint ago,
    const struct scale *scale)
{
	guint x = (HOURLY_HOURS - 1 - ago) * STEP + (STEP - WIDTH) / 2;
	guint64 counts[HOURLY_KINDS];
	guint top = LINE;

	for (guint kind = 0; kind < HOURLY_KINDS; kind++)
		counts[kind] =
		    hourly_get(hourly, now, ago, (enum hourly_kind)kind);
	if (mail_of(hourly, now, ago) + counts[HOURLY_FAILED] == 0)
		return;
	g_string_append(to, "<g>");
	add_title(to, now, ago, counts);
	for (guint kind = 0; kind < HOURLY_FAILED; kind++) {
		guint height = height_of(counts[kind], scale->mail, TALL);

		if (counts[kind] == 0)
			continue;
		/* The least that is seen may be more than is left. */
		top -= MIN(height, top);
		add_box(to, kinds[kind].mark, x, top, height);
	}
	if (counts[HOURLY_FAILED] > 0)
		add_box(to, kinds[HOURLY_FAILED].mark, x, LINE + 2,
		    height_of(counts[HOURLY_FAILED], scale->failures, DEEP));
	g_string_append(to, "</g>");
}

void
columns_add(GString *to, const struct hourly *hourly, gint64 now)
{
	struct scale scale = measure(hourly, now);
	guint64 counts[HOURLY_KINDS];

	for (guint kind = 0; kind < HOURLY_KINDS; kind++)
		counts[kind] = columns_sum(hourly, now, (enum hourly_kind)kind);
	g_string_append_printf(to,
	    "<svg class=\"day\" viewBox=\"0 0 %d %d\" "
	    "preserveAspectRatio=\"none\" role=\"img\" "
	    "aria-label=\"Last %d hours: ",
	    HOURLY_HOURS * STEP, LINE + 2 + DEEP, HOURLY_HOURS);
	add_words(to, counts);
	g_string_append_printf(to,
	    "\"><rect class=\"line\" x=\"0\" y=\"%d\" width=\"%d\" "
	    "height=\"1\"/>",
	    LINE, HOURLY_HOURS * STEP);
	for (guint ago = HOURLY_HOURS; ago > 0; ago--)
		add_column(to, hourly, now, ago - 1, &scale);
	g_string_append(to, "</svg>");
}

void
columns_add_legend(GString *to)
{
	g_string_append(to,
	    "<p class=\"legend\">Each column is an hour, the "
	    "last one is under way:");
	for (guint kind = 0; kind < HOURLY_KINDS; kind++)
		g_string_append_printf(to,
		    " <span><svg class=\"key\" viewBox=\"0 0 10 10\" "
		    "aria-hidden=\"true\"><rect class=\"%s\" width=\"10\" "
		    "height=\"10\"/></svg>%s%s</span>",
		    kinds[kind].mark, kinds[kind].word,
		    kind == HOURLY_FAILED ? " below the line." : ",");
	g_string_append(to, "</p>\n");
}
