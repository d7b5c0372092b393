/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tally as the state file has it: a head, the windows, the claims, and what
 * opening a connection took, which may be missing.  The
 * counts of a window have as many bytes each as the greatest of them needs, so
 * that most windows take 60 bytes and no million hosts are needed to fill
 * megabytes.
 */

#include <config.h>

#include <string.h>

#include "hosts/tally.h"

/* Whatever time it is, a span can be added to it. */
#define CLOCK_MAX (G_MAXINT64 / 4)

struct head {
	gint64 seen;
	gint64 boot;
	gint64 clock;
	guint32 windows;
	guint32 claims;
};

/* In a claim's number of recipients, none of which has it: MAIL was said. */
#define BEGUN (1U << 31)

/* What is left of a record to be read. */
struct rest {
	const guint8 *at;
	gsize size;
};

static void
append(GByteArray *record, const void *data, gsize size)
{
	g_byte_array_append(record, data, (guint)size);
}

static guint8
width_of(const struct window *window)
{
	guint32 greatest = 0;

	for (guint i = 0; i < WINDOW_PARTS; i++)
		greatest = MAX(greatest, window->counts[i]);
	return greatest <= G_MAXUINT8 ? 1 : greatest <= G_MAXUINT16 ? 2 : 4;
}

static void
append_count(GByteArray *record, guint32 count, guint8 width)
{
	guint32 little = GUINT32_TO_LE(count);

	append(record, &little, width);
}

static void
write_window(GByteArray *record, const struct tally_window *from)
{
	const struct window *window = &from->window;
	guint8 unit = (guint8)from->unit;
	guint8 width = width_of(window);

	append(record, &window->span, sizeof(window->span));
	append(record, &window->head, sizeof(window->head));
	append(record, &unit, sizeof(unit));
	append(record, &width, sizeof(width));
	for (guint i = 0; i < WINDOW_PARTS; i++)
		append_count(record, window->counts[i], width);
}

static void
write_claim(GByteArray *record, const struct claim *claim)
{
	guint32 recipients =
	    MIN(claim->recipients, BEGUN - 1) | (claim->begun ? BEGUN : 0);

	append(record, &claim->ticket, sizeof(claim->ticket));
	append(record, &recipients, sizeof(recipients));
}

GByteArray *
tally_write(const struct tally *tally)
{
	GByteArray *record = g_byte_array_new();
	const struct head head = {
	    .seen = tally->seen,
	    .boot = tally->boot,
	    .clock = tally->clock,
	    .windows = tally->windows->len,
	    .claims = tally->claims->len,
	};

	append(record, &head, sizeof(head));
	for (guint i = 0; i < tally->windows->len; i++)
		write_window(record,
		    &g_array_index(tally->windows, struct tally_window, i));
	for (guint i = 0; i < tally->claims->len; i++)
		write_claim(record,
		    &g_array_index(tally->claims, struct claim, i));
	append(record, &tally->opening, sizeof(tally->opening));
	return record;
}

static gboolean
take(struct rest *rest, void *data, gsize size)
{
	if (rest->size < size)
		return FALSE;
	memcpy(data, rest->at, size);
	rest->at += size;
	rest->size -= size;
	return TRUE;
}

static gboolean
read_counts(struct rest *rest, guint8 width, struct window *window)
{
	for (guint i = 0; i < WINDOW_PARTS; i++) {
		guint32 little = 0;

		if (!take(rest, &little, width))
			return FALSE;
		window->counts[i] = GUINT32_FROM_LE(little);
	}
	return TRUE;
}

static gboolean
read_window(struct rest *rest, gint64 clock, struct tally_window *ret)
{
	guint8 unit;
	guint8 width;

	if (!take(rest, &ret->window.span, sizeof(ret->window.span)) ||
	    !take(rest, &ret->window.head, sizeof(ret->window.head)) ||
	    !take(rest, &unit, sizeof(unit)) ||
	    !take(rest, &width, sizeof(width)))
		return FALSE;
	ret->unit = (enum tally_unit)unit;
	return unit < TALLY_UNITS && (width == 1 || width == 2 || width == 4) &&
	    ret->window.span <= RATE_SPAN_MAX &&
	    window_is_sound(&ret->window, clock) &&
	    read_counts(rest, width, &ret->window);
}

static gboolean
read_claim(struct rest *rest, struct claim *ret)
{
	if (!take(rest, &ret->ticket, sizeof(ret->ticket)) ||
	    !take(rest, &ret->recipients, sizeof(ret->recipients)))
		return FALSE;
	ret->begun = (ret->recipients & BEGUN) != 0;
	ret->recipients &= ~BEGUN;
	return TRUE;
}

struct tally *
tally_read(const void *value, gsize size)
{
	struct tally *tally = tally_new();
	struct rest rest = {value, size};
	struct head head;
	struct tally_window window = {0};
	struct claim claim;

	/* By a clock that is wrong nothing would ever be over. */
	if (!take(&rest, &head, sizeof(head)) || head.clock < 0 ||
	    head.clock > CLOCK_MAX)
		return tally;
	tally->seen = CLAMP(head.seen, 0, CLOCK_MAX);
	tally->boot = CLAMP(head.boot, 0, CLOCK_MAX);
	tally->clock = head.clock;
	for (guint i = 0; i < MIN(head.windows, TALLY_WINDOWS_MAX); i++) {
		if (!read_window(&rest, tally->clock, &window))
			return tally;
		g_array_append_val(tally->windows, window);
	}
	for (guint i = 0; i < head.claims && read_claim(&rest, &claim); i++)
		g_array_append_val(tally->claims, claim);
	if (take(&rest, &tally->opening, sizeof(tally->opening)))
		tally->opening = CLAMP(tally->opening, 0, TALLY_LEAD_MAX);
	return tally;
}
