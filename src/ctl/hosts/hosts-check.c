/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line and an exit status for Nagios and its heirs, as the Monitoring Plugins
 * Development Guidelines want them.
 */

#include <config.h>

#include <string.h>

#include "ctl/hosts/hosts.h"

/* As many hosts as the line names. */
#define NAMED_MAX 5

struct sums {
	guint hosts;
	guint down;
	guint drained;
	guint full;
	guint connected;
	guint waiting;
	guint64 deliveries;
	guint64 deferrals;
	guint64 bounces;
	GString *names; /* of hosts that are down */
};

static void
add_down(struct sums *sums, const struct hostrow *row)
{
	gsize at = sums->names->len;

	if (++sums->down > NAMED_MAX)
		return;
	g_string_append_printf(sums->names, "%s%s",
	    sums->down == 1 ? ": " : ", ", row->label);
	/* What follows would be taken for figures. */
	for (char *bar = sums->names->str + at; (bar = strchr(bar, '|'));)
		*bar = '?';
}

static void
add_row(struct sums *sums, const struct hostrow *row)
{
	const struct hosttable_row *known = &row->known;
	enum hostrow_standing standing = hostrow_standing(row);
	guint limit = hostrow_limit(row);

	sums->hosts++;
	if (standing == HOSTROW_DOWN)
		add_down(sums, row);
	else if (standing != HOSTROW_UP)
		sums->drained++;
	sums->full += limit > 0 && known->connected >= limit;
	sums->connected += known->connected;
	sums->waiting += known->waiting;
	sums->deliveries += known->record.deliveries;
	sums->deferrals += known->record.deferrals;
	sums->bounces += known->record.bounces;
}

static enum ctl_status
judge(const struct sums *sums, const char *trouble)
{
	if (sums->down > 0 && sums->down + sums->drained == sums->hosts)
		return CTL_TROUBLE;
	return sums->down > 0 || trouble != NULL ? CTL_NO : CTL_OK;
}

enum ctl_status
hosts_say_check(const GPtrArray *rows, const char *trouble)
{
	static const char *const words[] = {
	    [CTL_OK] = "OK",
	    [CTL_NO] = "WARNING",
	    [CTL_TROUBLE] = "CRITICAL",
	};
	g_autoptr(GString) names = g_string_new(NULL);
	struct sums sums = {.names = names};
	enum ctl_status status;

	for (guint i = 0; i < rows->len; i++)
		add_row(&sums, g_ptr_array_index(rows, i));
	status = judge(&sums, trouble);
	say("SMTPROUTE %s - %u of %u hosts down%s%s%s%s", words[status],
	    sums.down, sums.hosts, names->str,
	    sums.down > NAMED_MAX ? ", ..." : "", trouble != NULL ? "; " : "",
	    trouble != NULL ? trouble : "");
	say("|down=%u;0;;0;%u drained=%u;;;0;%u full=%u;;;0;%u connected=%u "
	    "waiting=%u",
	    sums.down, sums.hosts, sums.drained, sums.hosts, sums.full,
	    sums.hosts, sums.connected, sums.waiting);
	say(" sent=%" G_GUINT64_FORMAT "c deferred=%" G_GUINT64_FORMAT
	    "c bounced=%" G_GUINT64_FORMAT "c\n",
	    sums.deliveries, sums.deferrals, sums.bounces);
	return status;
}
