/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of hosts.  Its columns are as narrow as their contents allow; a
 * name that is too long beside the others has a line of its own, and a narrow
 * terminal has fewer columns.  A last error would not fit in, so those of
 * interest stand below.
 */

#include <config.h>

#include <string.h>

#include "ctl/ctl.h"
#include "ctl/duration.h"
#include "ctl/hostrate.h"
#include "ctl/hosts/hosts.h"
#include "ctl/hostwords.h"
#include "ctl/paint.h"
#include "smtp/outcome.h"
#include "util/printable.h"

#define INDENT "    "

/* Less is not left for hosts, as long as a column can go. */
#define LABEL_ROOM 20

enum column {
	COLUMN_HOST,
	COLUMN_STATE,
	COLUMN_FOR,
	COLUMN_RATE, /* while it is watched */
	COLUMN_SENT,
	COLUMN_DEFER,
	COLUMN_BOUNCE,
	COLUMN_FAIL,
	COLUMN_CONN,
	COLUMN_TIME,
	COLUMN_COUNT,
};

struct line {
	char *cells[COLUMN_COUNT];
	enum paint paint; /* of COLUMN_STATE; PAINT_END: none */
};

struct table {
	const struct hosts_view *view;
	GPtrArray *lines; /* of struct line, the first is the head */
	guint widths[COLUMN_COUNT];
	gboolean hidden[COLUMN_COUNT];
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

/* "3h": since when it is up or down; "-": nobody knows. */
static char *
short_since(const struct hostrow *row, gint64 now)
{
	gint64 since = hostwords_since(row, now);
	g_auto(GStrv) words = NULL;
	g_autofree char *text = NULL;

	if (since == 0)
		return g_strdup("-");
	text = duration_words(MAX(now - since, 0));
	words = g_strsplit(text, " ", 2);
	return g_strjoinv("", words);
}

static guint64
count_failures(const struct hostrecord *record)
{
	guint64 sum = 0;

	for (guint i = 0; i < STAGE_COUNT; i++)
		sum += record->failures[i];
	return sum;
}

/* What was sent in a minute, going by what has been since @view->before. */
static char *
short_rate(const struct hosts_view *view, const struct hostrow *row)
{
	guint64 sent = row->known.record.deliveries;
	const guint64 *before = view->before == NULL
	    ? NULL
	    : g_hash_table_lookup(view->before, row->label);

	/* Begun anew, it may be less. */
	if (before == NULL || *before > sent || view->span <= 0)
		return g_strdup("-");
	return short_count((guint64)((double)(sent - *before) * 60 *
	    G_USEC_PER_SEC / (double)view->span));
}

static void
add_line(struct table *table, const struct hostrow *row, gint64 now)
{
	const struct hostrecord *record = &row->known.record;
	struct line *line = g_new0(struct line, 1);
	char **cells = line->cells;

	cells[COLUMN_HOST] = g_strdup(row->label);
	cells[COLUMN_STATE] = hostwords_state(row, &line->paint);
	cells[COLUMN_FOR] = short_since(row, now);
	cells[COLUMN_RATE] = short_rate(table->view, row);
	cells[COLUMN_SENT] = short_count(record->deliveries);
	cells[COLUMN_DEFER] = short_count(record->deferrals);
	cells[COLUMN_BOUNCE] = short_count(record->bounces);
	cells[COLUMN_FAIL] = short_count(count_failures(record));
	cells[COLUMN_CONN] = short_count(record->connections);
	cells[COLUMN_TIME] = hostwords_latency(&record->total);
	g_ptr_array_add(table->lines, line);
}

static void
add_head(struct table *table)
{
	static const char *const names[COLUMN_COUNT] = {"HOST", "STATE", "FOR",
	    "/MIN", "SENT", "DEFER", "BOUNCE", "FAIL", "CONN", "TIME"};
	struct line *line = g_new0(struct line, 1);

	for (guint i = 0; i < COLUMN_COUNT; i++)
		line->cells[i] = g_strdup(names[i]);
	g_ptr_array_add(table->lines, line);
}

/* The widest cell of a column that is no wider than @max. */
static guint
width_of(const struct table *table, enum column column, guint max)
{
	guint widest = 0;

	for (guint i = 0; i < table->lines->len; i++) {
		const struct line *line = g_ptr_array_index(table->lines, i);
		guint width = (guint)strlen(line->cells[column]);

		if (width <= max)
			widest = MAX(widest, width);
	}
	return widest;
}

/* What the other columns leave for hosts. */
static guint
label_room(const struct table *table)
{
	guint used = strlen("  ") + table->widths[COLUMN_STATE];

	for (guint i = COLUMN_STATE + 1; i < COLUMN_COUNT; i++)
		used += table->hidden[i] ? 0 : 1 + table->widths[i];
	return table->view->width > used ? table->view->width - used : 0;
}

static void
measure(struct table *table)
{
	/* What a narrow terminal does without, in this order. */
	static const enum column last[] = {COLUMN_TIME, COLUMN_CONN,
	    COLUMN_BOUNCE, COLUMN_FAIL, COLUMN_FOR, COLUMN_DEFER, COLUMN_SENT};

	table->hidden[COLUMN_RATE] = !table->view->watched;
	for (guint i = COLUMN_STATE; i < COLUMN_COUNT; i++)
		table->widths[i] = width_of(table, i, G_MAXUINT);
	for (guint i = 0; i < G_N_ELEMENTS(last) &&
	     table->view->width < HOSTS_WIDTH && label_room(table) < LABEL_ROOM;
	     i++)
		table->hidden[last[i]] = TRUE;
	table->widths[COLUMN_HOST] =
	    width_of(table, COLUMN_HOST, label_room(table));
}

static void
say_line(const struct table *table, const struct line *line)
{
	const struct ctl *ctl = table->view->ctl;
	gboolean painted = line->paint != PAINT_END;
	const char *host = line->cells[COLUMN_HOST];

	if (strlen(host) > table->widths[COLUMN_HOST]) {
		say("%s\n", host);
		host = "";
	}
	say("%-*s  ", (int)table->widths[COLUMN_HOST], host);
	say("%s%-*s%s", painted ? paint(ctl, line->paint) : "",
	    (int)table->widths[COLUMN_STATE], line->cells[COLUMN_STATE],
	    painted ? paint(ctl, PAINT_END) : "");
	for (guint i = COLUMN_STATE + 1; i < COLUMN_COUNT; i++) {
		if (!table->hidden[i])
			say(" %*s", (int)table->widths[i], line->cells[i]);
	}
	say("\n");
}

/* Breaks it at blanks, where that can be done. */
static void
say_wrapped(const char *text, guint width)
{
	gsize room = MAX(width, 2 * strlen(INDENT)) - strlen(INDENT);

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

static void
say_errors(const GPtrArray *rows, guint width)
{
	gint64 now = g_get_real_time();
	const char *head = "\nLast errors:\n";

	for (guint i = 0; i < rows->len; i++) {
		const struct hostrow *row = g_ptr_array_index(rows, i);
		const struct hostrecord *record = &row->known.record;
		g_autofree char *age = NULL;
		g_autofree char *text = NULL;

		if (!hostrow_shows_error(row, now))
			continue;
		/* The clock may have been set back. */
		age = duration_words(MAX(now - record->last_failure, 0));
		text = printable(record->last_error, HOSTRECORD_ERROR_MAX);
		say("%s%s, %s ago\n", head, row->label, age);
		say_wrapped(text, width);
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

/* "3 of 6 hosts up, 2 down, 1 drained; 4 connections now". */
static void
say_summary(const GPtrArray *rows)
{
	guint down = 0;
	guint drained = 0;
	guint connected = 0;

	for (guint i = 0; i < rows->len; i++) {
		const struct hostrow *row = g_ptr_array_index(rows, i);
		enum hostrow_standing standing = hostrow_standing(row);

		down += standing == HOSTROW_DOWN;
		drained += standing == HOSTROW_DRAINED ||
		    standing == HOSTROW_DRAINED_IN_MAP;
		connected += row->known.connected;
	}
	say("%u of %u host%s up, %u down, %u drained; %u connection%s now\n",
	    rows->len - down - drained, rows->len, rows->len == 1 ? "" : "s",
	    down, drained, connected, connected == 1 ? "" : "s");
}

GHashTable *
hosts_deliveries(const GPtrArray *rows)
{
	GHashTable *deliveries =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

	for (guint i = 0; i < rows->len; i++) {
		const struct hostrow *row = g_ptr_array_index(rows, i);
		guint64 *count = g_new(guint64, 1);

		*count = row->known.record.deliveries;
		g_hash_table_insert(deliveries, g_strdup(row->label), count);
	}
	return deliveries;
}

void
hosts_say_table(const struct hosts_view *view, const GPtrArray *rows)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(line_free);
	g_autoptr(GPtrArray) sorted = hostlist_worst_first(rows);
	struct table table = {.view = view, .lines = lines};
	gint64 now = g_get_real_time();

	if (rows->len == 0) {
		say("No host is known: neither the route map nor the state "
		    "has one.\n");
		return;
	}
	if (view->watched) {
		say_summary(sorted);
		say("\n");
	}
	add_head(&table);
	for (guint i = 0; i < sorted->len; i++)
		add_line(&table, g_ptr_array_index(sorted, i), now);
	measure(&table);
	for (guint i = 0; i < lines->len; i++)
		say_line(&table, g_ptr_array_index(lines, i));
	if (!view->watched) {
		say("\n");
		say_summary(sorted);
	}
	say_waiting(sorted);
	say_rates(sorted);
	say_errors(sorted, view->width);
}
