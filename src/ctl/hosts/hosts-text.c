/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of hosts.  Its columns are as narrow as their contents allow: a
 * name of 30 letters leaves room for all of them in 80 columns; a longer one
 * has a line of its own.  A last error would not fit in, so those of interest
 * stand below.
 */

#include <config.h>

#include <string.h>

#include "ctl/ctl.h"
#include "ctl/duration.h"
#include "ctl/hostrate.h"
#include "ctl/hosts/hosts.h"
#include "ctl/hostwords.h"
#include "ctl/paint.h"
#include "util/printable.h"

#define LINE_WIDTH 80
#define INDENT     "    "

/* What the other columns leave of LINE_WIDTH, at their widest. */
#define LABEL_WIDTH_MAX 33

/* A failure is of interest for so long after the host came up again. */
#define ERROR_AGE (G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC)

enum column {
	COLUMN_HOST,
	COLUMN_STATE,
	COLUMN_SENT,
	COLUMN_DEFER,
	COLUMN_BOUNCE,
	COLUMN_CONN,
	COLUMN_TIME,
	COLUMN_COUNT,
};

struct line {
	char *cells[COLUMN_COUNT];
	enum paint paint; /* of COLUMN_STATE; PAINT_END: none */
};

static void
line_free(gpointer data)
{
	struct line *line = data;

	for (guint i = 0; i < COLUMN_COUNT; i++)
		g_free(line->cells[i]);
	g_free(line);
}

/* At most four characters, up to 10^15: "9999", "12k", "1.2M". */
static char *
short_count(guint64 count)
{
	static const char units[] = "kMGT";
	guint64 tenths = count;
	guint i = 0;

	if (count < 10000)
		return g_strdup_printf("%" G_GUINT64_FORMAT, count);
	for (tenths /= 100; tenths >= 10000 && i < strlen(units) - 1; i++)
		tenths /= 1000;
	if (tenths < 100)
		return g_strdup_printf("%u.%u%c", (guint)(tenths / 10),
		    (guint)(tenths % 10), units[i]);
	return g_strdup_printf("%" G_GUINT64_FORMAT "%c", tenths / 10,
	    units[i]);
}

static void
add_line(GPtrArray *lines, const struct hostrow *row)
{
	const struct hostrecord *record = &row->known.record;
	struct line *line = g_new0(struct line, 1);
	char **cells = line->cells;

	cells[COLUMN_HOST] = g_strdup(row->label);
	cells[COLUMN_STATE] = hostwords_state(row, &line->paint);
	cells[COLUMN_SENT] = short_count(record->deliveries);
	cells[COLUMN_DEFER] = short_count(record->deferrals);
	cells[COLUMN_BOUNCE] = short_count(record->bounces);
	cells[COLUMN_CONN] = short_count(record->connections);
	cells[COLUMN_TIME] = hostwords_latency(&record->total);
	g_ptr_array_add(lines, line);
}

static void
add_head(GPtrArray *lines)
{
	static const char *const names[COLUMN_COUNT] = {"HOST", "STATE", "SENT",
	    "DEFER", "BOUNCE", "CONN", "TIME"};
	struct line *line = g_new0(struct line, 1);

	for (guint i = 0; i < COLUMN_COUNT; i++)
		line->cells[i] = g_strdup(names[i]);
	g_ptr_array_add(lines, line);
}

static void
measure(const GPtrArray *lines, guint widths[COLUMN_COUNT])
{
	for (guint i = 0; i < lines->len; i++) {
		const struct line *line = g_ptr_array_index(lines, i);

		for (guint j = 0; j < COLUMN_COUNT; j++) {
			guint width = (guint)strlen(line->cells[j]);

			if (j != COLUMN_HOST || width <= LABEL_WIDTH_MAX)
				widths[j] = MAX(widths[j], width);
		}
	}
}

static void
say_line(const struct ctl *ctl, const struct line *line,
    const guint widths[COLUMN_COUNT])
{
	gboolean painted = line->paint != PAINT_END;
	const char *host = line->cells[COLUMN_HOST];

	if (strlen(host) > LABEL_WIDTH_MAX) {
		say("%s\n", host);
		host = "";
	}
	say("%-*s  ", (int)widths[COLUMN_HOST], host);
	say("%s%-*s%s", painted ? paint(ctl, line->paint) : "",
	    (int)widths[COLUMN_STATE], line->cells[COLUMN_STATE],
	    painted ? paint(ctl, PAINT_END) : "");
	for (guint i = COLUMN_STATE + 1; i < COLUMN_COUNT; i++)
		say(" %*s", (int)widths[i], line->cells[i]);
	say("\n");
}

/* Breaks it at blanks, where that can be done. */
static void
say_wrapped(const char *text)
{
	gsize room = LINE_WIDTH - strlen(INDENT);

	while (text[0] != '\0') {
		gsize length = strlen(text);

		if (length > room) {
			length = room;
			while (length > 0 && text[length] != ' ')
				length--;
			if (length == 0)
				length = room;
		}
		say(INDENT "%.*s\n", (int)length, text);
		text += length;
		text += strspn(text, " ");
	}
}

static gboolean
is_of_interest(const struct hostrow *row, gint64 now)
{
	const struct hostrecord *record = &row->known.record;

	return record->last_failure > 0 &&
	    (!health_is_up(&record->health) ||
		record->last_failure > now - ERROR_AGE);
}

static void
say_errors(const GPtrArray *rows)
{
	gint64 now = g_get_real_time();
	const char *head = "\nLast errors:\n";

	for (guint i = 0; i < rows->len; i++) {
		const struct hostrow *row = g_ptr_array_index(rows, i);
		const struct hostrecord *record = &row->known.record;
		g_autofree char *age = NULL;
		g_autofree char *text = NULL;

		if (!is_of_interest(row, now))
			continue;
		/* The clock may have been set back. */
		age = duration_words(MAX(now - record->last_failure, 0));
		text = printable(record->last_error, HOSTRECORD_ERROR_MAX);
		say("%s%s, %s ago\n", head, row->label, age);
		say_wrapped(text);
		head = "";
	}
}

static void
say_waiting(const GPtrArray *rows)
{
	const char *head = "\nWaiting deliveries:\n";

	for (guint i = 0; i < rows->len; i++) {
		const struct hostrow *row = g_ptr_array_index(rows, i);

		if (row->known.waiting == 0)
			continue;
		say("%s%s, %u\n", head, row->label, row->known.waiting);
		head = "";
	}
}

static void
say_rates(const GPtrArray *rows)
{
	const char *head = "\nRates:\n";

	for (guint i = 0; i < rows->len; i++) {
		const struct hostrow *row = g_ptr_array_index(rows, i);
		const struct tally *tally = row->known.tally;
		gint64 wait = hostrate_wait(row->rates, tally);
		g_autofree char *text = hostrate_text(row->rates, tally);
		g_autofree char *free = NULL;

		if (text == NULL)
			continue;
		say("%s%s, %s", head, row->label, text);
		head = "";
		if (wait > 0) {
			free = duration_words_up(wait);
			say(", free in %s", free);
		}
		say("\n");
	}
}

void
hosts_say_table(const struct ctl *ctl, const GPtrArray *rows)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(line_free);
	guint widths[COLUMN_COUNT] = {0};

	if (rows->len == 0) {
		say("No host is known: neither the route map nor the state "
		    "has one.\n");
		return;
	}
	add_head(lines);
	for (guint i = 0; i < rows->len; i++)
		add_line(lines, g_ptr_array_index(rows, i));
	measure(lines, widths);
	for (guint i = 0; i < lines->len; i++)
		say_line(ctl, g_ptr_array_index(lines, i), widths);
	say_waiting(rows);
	say_rates(rows);
	say_errors(rows);
}
