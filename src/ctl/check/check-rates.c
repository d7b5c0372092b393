/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include "address/domain.h"
#include "agent/plan.h"
#include "ctl/check/check-entry.h"
#include "ctl/check/check-rates.h"

/* A host, and where it stands. */
struct subject {
	struct check *check;
	const char *path;
	const struct maptext_entry *entry;
	guint index;
	char *host; /* "name:port" */
};

static char *
rate_text(const struct rate *rate)
{
	const struct rates one = {TRUE, 1, {*rate}};

	return rates_text(&one, "");
}

static char *
place(const struct subject *subject)
{
	return check_entry_place(subject->path, subject->entry, subject->index);
}

/* Of @rate nothing is left, since less may go in all of @other's span. */
static void
say_vain(const struct subject *subject, const struct rate *rate,
    const struct rate *other, const char *unit)
{
	g_autofree char *text = rate_text(rate);
	g_autofree char *span = rate_span_text(other->span);
	g_autofree char *where = NULL;
	g_autofree char *what = g_strdup_printf(
	    "rate %s of %s is never reached, since no more than %u%s go in %s; "
	    "expected less, or none",
	    text, subject->host, other->count, unit, span);

	if (!g_hash_table_add(subject->check->said, g_strdup(what)))
		return;
	where = place(subject);
	finding(&subject->check->findings, SEVERITY_WARNING, where, "%s", what);
}

/* Whoever has one of @rates would have one of @others, too. */
static void
check_vain(const struct subject *subject, const struct rates *rates,
    const struct rates *others, const char *unit)
{
	for (guint i = 0; i < rates->count; i++) {
		const struct rate *rate = &rates->rate[i];

		for (guint j = 0; j < others->count; j++) {
			const struct rate *other = &others->rate[j];

			if (rate != other && other->span >= rate->span &&
			    other->count < rate->count)
				say_vain(subject, rate, other, unit);
		}
	}
}

/* What is counted is the host's, whatever route it is in. */
static void
check_same(const struct subject *subject, const struct host_settings *settings)
{
	GHashTable *rates = subject->check->rates;
	g_autofree char *rate = rates_text(&settings->rate, "+");
	g_autofree char *recipients =
	    rates_text(&settings->rate_recipients, "+");
	g_autofree char *text =
	    g_strdup_printf("rate=%s/rate-recipients=%s", rate, recipients);
	const char *first = g_hash_table_lookup(rates, subject->host);
	g_autofree char *where = NULL;

	if (first == NULL) {
		g_hash_table_insert(rates, g_strdup(subject->host),
		    g_steal_pointer(&text));
		return;
	}
	if (g_str_equal(first, text))
		return;
	where = place(subject);
	finding(&subject->check->findings, SEVERITY_WARNING, where,
	    "%s has %s here and %s in an earlier route; expected the same, "
	    "since all routes count together",
	    subject->host, text, first);
}

/* As most of a million hosts are, and no earlier one was otherwise. */
static gboolean
is_unlimited(const struct check *check, const struct destination *destination,
    const struct host_settings *settings)
{
	return !destination->rate.set && !destination->rate_recipients.set &&
	    settings->rate.count + settings->rate_recipients.count == 0 &&
	    g_hash_table_size(check->rates) == 0;
}

void
check_rates(struct check *check, const char *path,
    const struct maptext_entry *entry, const struct route *route)
{
	for (guint i = 0; i < route->destinations->len; i++) {
		const struct destination *destination =
		    route->destinations->pdata[i];
		const struct host_settings settings =
		    plan_settings(check->settings, destination);
		g_autofree char *host = NULL;
		struct subject subject = {check, path, entry, i, NULL};

		if (is_unlimited(check, destination, &settings))
			continue;
		host = domain_with_port(destination->name, destination->port);
		subject.host = host;
		check_vain(&subject, &settings.rate, &settings.rate, "");
		check_vain(&subject, &settings.rate_recipients,
		    &settings.rate_recipients, " recipients");
		/* A transaction has a recipient. */
		check_vain(&subject, &settings.rate, &settings.rate_recipients,
		    " recipients");
		check_same(&subject, &settings);
	}
}
