/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of hosts on the status page.
 */
#include <config.h>

#include "ctl/duration.h"
#include "ctl/hostrate.h"
#include "ctl/hostwords.h"
#include "ctl/serve/columns.h"
#include "ctl/serve/html.h"
#include "ctl/serve/icon.h"
#include "ctl/serve/page.h"

/* Headings, which a narrow screen has beside each cell, and their classes. */
#define HOST     "Host"
#define STATE    "State"
#define DAY      "Last 24 hours"
#define SHARE    "Sent, share"
#define DEFERRED "Deferred"
#define BOUNCED  "Bounced"
#define FAILURES "Failures"
#define SESSIONS "Sessions"
#define TIME     "Time"

static void
add_span(GString *to, gint64 span)
{
	g_autofree char *text = duration_words(MAX(span, 0));

	html_text(to, text);
}

/* "Down since 09:15, for 12 min." */
static void
add_since(GString *to, const struct hostrow *row, gint64 now)
{
	gboolean up = health_is_up(&row->known.record.health);
	gint64 since = hostwords_since(row, now);

	if (since <= 0)
		return;
	g_string_append_printf(to, "<div class=\"small faint\">%s since ",
	    up ? "up" : "down");
	html_time(to, since);
	g_string_append(to, ", for ");
	add_span(to, now - since);
	g_string_append(to, "</div>");
}

/* "12 of 30 in 1m, free in 12 s". */
static void
add_rates(GString *to, const struct hostrow *row)
{
	gint64 wait = hostrate_wait(row->rates, row->known.tally);
	g_autofree char *text = hostrate_text(row->rates, row->known.tally);
	g_autofree char *free = NULL;

	if (text == NULL)
		return;
	g_string_append(to, "<div class=\"small faint\">rate ");
	html_text(to, text);
	if (wait > 0) {
		free = duration_words_up(wait);
		html_text(to, ", free in ");
		html_text(to, free);
	}
	g_string_append(to, "</div>");
}

static void
add_error(GString *to, const struct hostrow *row, gint64 now)
{
	const struct hostrecord *record = &row->known.record;

	if (!hostrow_shows_error(row, now))
		return;
	g_string_append(to, "<span class=\"error\">");
	html_text(to, record->last_error);
	g_string_append(to, " <span class=\"faint\">(");
	add_span(to, now - record->last_failure);
	g_string_append(to, " ago)</span></span>");
}

static void
add_state(GString *to, const struct hostrow *row, gint64 now)
{
	enum icon icon = icon_of_host(row);
	enum paint unused;
	g_autofree char *words = hostwords_state(row, &unused);

	g_string_append_printf(to,
	    "<td role=\"cell\" class=\"s\"><div>"
	    "<span class=\"state %s\">",
	    icon_class(icon));
	icon_add(to, icon);
	html_text(to, words);
	g_string_append(to, "</span>");
	add_since(to, row, now);
	add_rates(to, row);
	add_error(to, row, now);
	g_string_append(to, "</div></td>\n");
}

static void
add_share(GString *to, guint64 sent, guint64 all)
{
	guint percent = all > 0 ? (guint)(sent * 100 / all) : 0;

	g_string_append(to,
	    "<td role=\"cell\" class=\"w\" data-label=\"" SHARE "\"><div>"
	    "<span class=\"pair\">");
	html_count(to, sent);
	g_string_append_printf(to,
	    " <span class=\"faint small\">%s%u&nbsp;%%</span>"
	    "</span>"
	    "<svg class=\"bar\" viewBox=\"0 0 100 8\" "
	    "preserveAspectRatio=\"none\" aria-hidden=\"true\">"
	    "<rect class=\"rest\" width=\"100\" height=\"8\"/>"
	    "<rect class=\"sent\" width=\"%u\" height=\"8\"/></svg>"
	    "</div></td>\n",
	    percent == 0 && sent > 0 ? "&lt;" : "",
	    percent == 0 && sent > 0 ? 1 : percent, percent);
}

static void
add_number(GString *to, const char *label, guint64 count)
{
	g_string_append_printf(to,
	    "<td role=\"cell\" class=\"n%s\" data-label=\"%s\"><div>",
	    count == 0 ? " faint" : "", label);
	html_count(to, count);
	g_string_append(to, "</div></td>\n");
}

/* "2 of 10", where there is a limit. */
static void
add_sessions(GString *to, const struct hostrow *row)
{
	guint limit = hostrow_limit(row);

	g_string_append_printf(to,
	    "<td role=\"cell\" class=\"n\" data-label=\"" SESSIONS "\"><div>%u",
	    row->known.connected);
	if (limit > 0)
		g_string_append_printf(to, " of %u", limit);
	if (row->known.waiting > 0)
		g_string_append_printf(to,
		    "<div class=\"small faint\">%u wait%s</div>",
		    row->known.waiting, row->known.waiting == 1 ? "s" : "");
	g_string_append(to, "</div></td>\n");
}

static void
add_latency(GString *to, const struct hostrecord *record)
{
	g_autofree char *total = hostwords_latency(&record->total);

	g_string_append(to,
	    "<td role=\"cell\" class=\"n\" data-label=\"" TIME "\"><div>");
	html_text(to, total);
	g_string_append(to, "</div></td>\n");
}

static void
add_row(GString *to, const struct hostrow *row, gint64 now, guint64 all)
{
	const struct hostrecord *record = &row->known.record;
	const struct hourly *hourly = &record->hourly;

	g_string_append(to,
	    "<tr role=\"row\">\n<th role=\"rowheader\" scope=\"row\" "
	    "class=\"h\"><div>");
	html_text(to, row->label);
	g_string_append(to, "</div></th>\n");
	add_state(to, row, now);
	g_string_append(to,
	    "<td role=\"cell\" class=\"d\" data-label=\"" DAY "\"><div>");
	columns_add(to, hourly, now);
	g_string_append(to, "</div></td>\n");
	add_share(to, columns_sum(hourly, now, HOURLY_SENT), all);
	add_number(to, DEFERRED, columns_sum(hourly, now, HOURLY_DEFERRED));
	add_number(to, BOUNCED, columns_sum(hourly, now, HOURLY_BOUNCED));
	add_number(to, FAILURES, columns_sum(hourly, now, HOURLY_FAILED));
	add_sessions(to, row);
	add_latency(to, record);
	g_string_append(to, "</tr>\n");
}

static void
add_heading(GString *to, const char *words, gboolean number)
{
	g_string_append_printf(to,
	    "<th role=\"columnheader\" scope=\"col\"%s>%s</th>\n",
	    number ? " class=\"n\"" : "", words);
}

static void
add_head(GString *to)
{
	g_string_append(to,
	    "<table class=\"hosts\" role=\"table\">\n<caption><h2>Hosts</h2>");
	columns_add_legend(to);
	g_string_append(to,
	    "</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">\n");
	add_heading(to, HOST, FALSE);
	add_heading(to, STATE, FALSE);
	add_heading(to, DAY, FALSE);
	add_heading(to, SHARE, FALSE);
	add_heading(to, DEFERRED, TRUE);
	add_heading(to, BOUNCED, TRUE);
	add_heading(to, FAILURES, TRUE);
	add_heading(to, SESSIONS, TRUE);
	add_heading(to, TIME, TRUE);
	g_string_append(to, "</tr></thead>\n<tbody role=\"rowgroup\">\n");
}

static guint64
sum_sent(const struct page *page)
{
	guint64 sum = 0;

	for (guint i = 0; i < page->rows->len; i++) {
		const struct hostrow *row = g_ptr_array_index(page->rows, i);

		sum += columns_sum(&row->known.record.hourly, page->now,
		    HOURLY_SENT);
	}
	return sum;
}

static void
add_rest(GString *to, const struct page *page)
{
	if (page->rows->len > PAGE_ROWS)
		g_string_append_printf(to,
		    "<p class=\"legend\">And %u more hosts, which are no worse: "
		    "smtproutectl hosts has all.</p>\n",
		    page->rows->len - PAGE_ROWS);
	if (page->figures->strangers > 0)
		g_string_append_printf(to,
		    "<p class=\"legend\">And %u host%s that only DNS has "
		    "named: smtproutectl hosts --all shows %s.</p>\n",
		    page->figures->strangers,
		    page->figures->strangers == 1 ? "" : "s",
		    page->figures->strangers == 1 ? "it" : "them");
}

void
page_add_hosts(GString *to, const struct page *page)
{
	guint64 all = sum_sent(page);

	if (page->rows->len > 0) {
		add_head(to);
		for (guint i = 0; i < MIN(page->rows->len, PAGE_ROWS); i++)
			add_row(to, g_ptr_array_index(page->rows, i), page->now,
			    all);
		g_string_append(to, "</tbody>\n</table>\n");
	}
	add_rest(to, page);
}
