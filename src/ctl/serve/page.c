/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/duration.h"
#include "ctl/serve/columns.h"
#include "ctl/serve/html.h"
#include "ctl/serve/icon.h"
#include "ctl/serve/page.h"
#include "ctl/serve/style.h"

/* Seconds. */
#define REFRESH "30"

/* As many hosts that are down are named in the first line. */
#define NAMED_MAX 3

/* As many complaints are quoted. */
#define COMPLAINTS_MAX 5

/* The first line, and those below it. */
struct outlook {
	enum icon icon;
	GString *words; /* plain text */
	GPtrArray *lines;
};

/* What all hosts come to. */
struct sums {
	guint hosts;
	guint down;
	guint drained;
	guint connected;
	guint waiting;
	guint64 counts[HOURLY_KINDS];
};

static void
sum_row(struct sums *sums, const struct hostrow *row, gint64 now)
{
	const struct hosttable_row *known = &row->known;
	enum hostrow_standing standing = hostrow_standing(row);

	sums->hosts++;
	sums->down += standing == HOSTROW_DOWN;
	sums->drained +=
	    standing == HOSTROW_DRAINED || standing == HOSTROW_DRAINED_IN_MAP;
	sums->connected += known->connected;
	sums->waiting += known->waiting;
	for (guint kind = 0; kind < HOURLY_KINDS; kind++)
		sums->counts[kind] += columns_sum(&known->record.hourly, now,
		    (enum hourly_kind)kind);
}

static struct sums
sum_rows(const struct page *page)
{
	struct sums sums = {0};

	for (guint i = 0; i < page->rows->len; i++)
		sum_row(&sums, g_ptr_array_index(page->rows, i), page->now);
	return sums;
}

static void
worsen(struct outlook *outlook, enum icon icon)
{
	if (outlook->icon == ICON_GOOD || icon == ICON_BAD)
		outlook->icon = icon;
}

static void
add_line(struct outlook *outlook, char *line)
{
	g_ptr_array_add(outlook->lines, line);
}

/* ": a, b and 3 more". */
static void
name_down(struct outlook *outlook, const struct page *page, guint down)
{
	guint named = 0;

	for (guint i = 0; i < page->rows->len && named < NAMED_MAX; i++) {
		const struct hostrow *row = g_ptr_array_index(page->rows, i);

		if (hostrow_standing(row) == HOSTROW_DOWN)
			g_string_append_printf(outlook->words, "%s%s",
			    named++ == 0 ? ": " : ", ", row->label);
	}
	if (down > named)
		g_string_append_printf(outlook->words, " and %u more",
		    down - named);
}

static void
judge_hosts(struct outlook *outlook, const struct page *page,
    const struct sums *sums)
{
	if (sums->hosts == 0) {
		g_string_append(outlook->words, "No host is known yet");
	} else if (sums->down > 0) {
		worsen(outlook,
		    sums->down + sums->drained == sums->hosts ? ICON_BAD
							      : ICON_WARN);
		g_string_append_printf(outlook->words, "%u of %u host%s down",
		    sums->down, sums->hosts, sums->hosts == 1 ? "" : "s");
		name_down(outlook, page, sums->down);
	} else if (sums->drained > 0) {
		g_string_append_printf(outlook->words,
		    "No host is down, %u of %u drained", sums->drained,
		    sums->hosts);
	} else {
		g_string_append_printf(outlook->words,
		    sums->hosts == 1 ? "The only host is up"
				     : "All %u hosts are up",
		    sums->hosts);
	}
}

static void
judge_routes(struct outlook *outlook, const struct page *page)
{
	guint lost = page->routes->lost;

	if (lost == 0)
		return;
	worsen(outlook, ICON_BAD);
	add_line(outlook,
	    g_strdup_printf("%u route%s no host left that takes mail", lost,
		lost == 1 ? " has" : "s have"));
}

static void
judge_trouble(struct outlook *outlook, const struct page *page)
{
	g_auto(GStrv) lines = g_strsplit(page->complaints, "\n", 0);
	const char *trouble = sight_trouble(page->sight);
	guint count = 0;

	if (page->sight->error != NULL) {
		worsen(outlook, ICON_BAD);
		add_line(outlook,
		    g_strdup_printf("The state of hosts cannot be read: %s",
			page->sight->error->message));
	} else if (trouble != NULL) {
		worsen(outlook, ICON_WARN);
		if (!page->sight->usable)
			add_line(outlook,
			    g_strdup("The state of hosts cannot "
				     "be written: what is shown "
				     "may be old"));
	}
	if (!page->figures->log) {
		worsen(outlook, ICON_WARN);
		add_line(outlook,
		    g_strdup("The log cannot be written: smtproutectl check "
			     "says why"));
	}
	for (guint i = 0; lines[i] != NULL; i++) {
		if (lines[i][0] != '\0' && count++ < COMPLAINTS_MAX)
			add_line(outlook, g_strdup(lines[i]));
	}
}

static void
judge_backlog(struct outlook *outlook, const struct page *page)
{
	g_autofree char *age = NULL;

	if (page->figures->backlog == NULL ||
	    page->figures->backlog->all.messages == 0)
		return;
	age = duration_words(
	    MAX(page->now - page->figures->backlog->all.oldest, 0));
	add_line(outlook,
	    g_strdup_printf("%u message%s in the queue for a host, the oldest "
			    "for %s",
		page->figures->backlog->all.messages,
		page->figures->backlog->all.messages == 1 ? " waits" : "s wait",
		age));
}

static void
add_head(GString *to, const struct outlook *outlook, const char *machine)
{
	g_string_append(to,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<meta http-equiv=\"refresh\" content=\"" REFRESH "\">\n"
	    "<title>");
	html_text(to, outlook->words->str);
	g_string_append(to, " - ");
	html_text(to, machine);
	g_string_append(to, "</title>\n");
	icon_add_link(to, outlook->icon);
	g_string_append_printf(to, "\n<style>%s</style>\n</head>\n<body>\n",
	    style_text());
}

static void
add_verdict(GString *to, const struct outlook *outlook, const char *machine)
{
	g_string_append(to, "<header>\n<h1>smtproute on ");
	html_text(to, machine);
	g_string_append_printf(to,
	    "</h1>\n<div class=\"verdict %s\" role=\"status\">\n<strong>",
	    icon_class(outlook->icon));
	icon_add(to, outlook->icon);
	html_text(to, outlook->words->str);
	g_string_append(to, "</strong>\n");
	if (outlook->lines->len > 0)
		g_string_append(to, "<ul>\n");
	for (guint i = 0; i < outlook->lines->len; i++) {
		g_string_append(to, "<li>");
		html_text(to, g_ptr_array_index(outlook->lines, i));
		g_string_append(to, "</li>\n");
	}
	if (outlook->lines->len > 0)
		g_string_append(to, "</ul>\n");
	g_string_append(to, "</div>\n</header>\n");
}

/* @small: NULL: nothing more to it. */
static void
add_figure(GString *to, const char *what, guint64 count, const char *small)
{
	g_string_append_printf(to, "<div><dt>%s</dt><dd>", what);
	html_count(to, count);
	if (small != NULL)
		g_string_append_printf(to,
		    "<span class=\"small faint\">%s"
		    "</span>",
		    small);
	g_string_append(to, "</dd></div>\n");
}

static void
add_figures(GString *to, const struct page *page, const struct sums *sums)
{
	g_autofree char *hosts = g_strdup_printf("of %u hosts, %u drained",
	    sums->hosts, sums->drained);
	g_autofree char *wait =
	    g_strdup_printf("and %u about to", sums->waiting);

	g_string_append(to, "<dl class=\"figures\">\n");
	add_figure(to, "Up", sums->hosts - sums->down - sums->drained, hosts);
	add_figure(to, "Sessions now", sums->connected,
	    sums->waiting > 0 ? wait : NULL);
	add_figure(to, "Sent", sums->counts[HOURLY_SENT], "recipients in 24 h");
	add_figure(to, "Deferred", sums->counts[HOURLY_DEFERRED],
	    "recipients in 24 h");
	add_figure(to, "Bounced", sums->counts[HOURLY_BOUNCED],
	    "recipients in 24 h");
	if (page->figures->backlog != NULL)
		add_figure(to, "Waiting for a host",
		    page->figures->backlog->all.messages,
		    "messages in the queue");
	g_string_append(to, "</dl>\n");
}

static void
add_foot(GString *to, const struct page *page)
{
	g_autoptr(GDateTime) date =
	    g_date_time_new_from_unix_local(page->now / G_USEC_PER_SEC);
	g_autofree char *text = date != NULL
	    ? g_date_time_format(date, "%Y-%m-%d %H:%M:%S %z")
	    : g_strdup("?");

	g_string_append_printf(to,
	    "<footer>\n<p>As of %s, again every " REFRESH " s. "
	    "For programs: <a href=\"/metrics\">metrics</a>, "
	    "<a href=\"/hosts.json\">hosts.json</a>, "
	    "<a href=\"/healthz\">healthz</a>.</p>\n"
	    "<p>" PACKAGE_STRING "</p>\n</footer>\n</body>\n</html>\n",
	    text);
}

static struct outlook
judge(const struct page *page, const struct sums *sums)
{
	struct outlook outlook = {
	    .words = g_string_new(NULL),
	    .lines = g_ptr_array_new_with_free_func(g_free),
	};

	if (page->sight->error != NULL)
		g_string_append(outlook.words, "Nothing is known of hosts");
	else
		judge_hosts(&outlook, page, sums);
	judge_routes(&outlook, page);
	judge_trouble(&outlook, page);
	judge_backlog(&outlook, page);
	return outlook;
}

GString *
page_new(const struct page *page)
{
	const char *machine = g_get_host_name();
	GString *to = g_string_new(NULL);
	struct sums sums = sum_rows(page);
	struct outlook outlook = judge(page, &sums);

	add_head(to, &outlook, machine);
	add_verdict(to, &outlook, machine);
	g_string_append(to, "<main>\n");
	add_figures(to, page, &sums);
	page_add_hosts(to, page);
	page_add_routes(to, page);
	g_string_append(to, "</main>\n");
	add_foot(to, page);
	g_string_free(outlook.words, TRUE);
	g_ptr_array_unref(outlook.lines);
	return to;
}
