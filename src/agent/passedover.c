/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "address/domain.h"
#include "agent/passedover.h"
#include "hosts/hoststate.h"

/* So that what is said at last has room in VERDICT_LINE_MAX. */
#define TEXT_MAX 3000

static const struct contender *
contender_at(const GArray *contenders, guint i)
{
	return &g_array_index(contenders, struct contender, i);
}

static guint
count_standing(const GArray *contenders, enum standing standing)
{
	guint n = 0;

	for (guint i = 0; i < contenders->len; i++)
		n += contender_at(contenders, i)->standing == standing;
	return n;
}

/* Is the host, or was it, told of elsewhere in the route? */
static gboolean
is_told(const GArray *contenders, guint i)
{
	const struct contender *contender = contender_at(contenders, i);

	for (guint j = 0; j < contenders->len; j++) {
		const struct contender *other = contender_at(contenders, j);

		if (j != i && other->port == contender->port &&
		    (j < i || other->standing == STANDING_TRIED) &&
		    g_str_equal(other->name, contender->name))
			return TRUE;
	}
	return FALSE;
}

/* Nothing is sooner than promised, and nothing is due in 0 s. */
static gint64
whole_seconds(gint64 wait)
{
	return MAX((wait + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC, 1);
}

/* Is it the host's own limit, rather than ours? */
static gboolean
is_learnt(const struct contender *contender)
{
	return contender->capacity != 0 &&
	    contender->capacity < contender->max_connections;
}

static guint
count_learnt(const GArray *contenders)
{
	guint n = 0;

	for (guint i = 0; i < contenders->len; i++) {
		const struct contender *contender = contender_at(contenders, i);

		n += contender->standing == STANDING_FULL &&
		    is_learnt(contender);
	}
	return n;
}

/* FALSE: it was not passed over. */
static gboolean
append_standing(GString *text, const struct contender *contender)
{
	switch (contender->standing) {
	case STANDING_DOWN:
		g_string_append_printf(text,
		    "down, next try in %" G_GINT64_FORMAT " s",
		    whole_seconds(contender->wait));
		return TRUE;
	case STANDING_PROBED:
		g_string_append(text, "down, being probed");
		return TRUE;
	case STANDING_FULL:
		if (is_learnt(contender))
			g_string_append_printf(text,
			    "full, takes %u sessions at a time",
			    contender->capacity);
		else
			g_string_append(text, "at its max-connections");
		return TRUE;
	case STANDING_RATED:
		if (contender->wait < 0)
			g_string_append(text,
			    "takes fewer recipients at a time "
			    "(rate-recipients)");
		else
			g_string_append_printf(text,
			    "at its rate, free in %" G_GINT64_FORMAT " s",
			    whole_seconds(contender->wait));
		return TRUE;
	case STANDING_DRAINED:
		g_string_append(text, "drained");
		return TRUE;
	case STANDING_FREE:
	case STANDING_TRIED:
		break;
	}
	return FALSE;
}

char *
passedover_text(const GArray *contenders)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < contenders->len && text->len < TEXT_MAX; i++) {
		const struct contender *contender = contender_at(contenders, i);
		g_autofree char *name =
		    domain_with_port(contender->name, contender->port);
		gsize length = text->len;

		g_string_append_printf(text, "; %s: ", name);
		if (is_told(contenders, i) || !append_standing(text, contender))
			g_string_truncate(text, length);
	}
	return g_string_free(text, FALSE);
}

/* Of those that are down: what happened when they were tried last. */
static char *
errors_text(const GArray *contenders)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < contenders->len && text->len < TEXT_MAX; i++) {
		const struct contender *contender = contender_at(contenders, i);
		g_autofree char *name =
		    domain_with_port(contender->name, contender->port);

		if ((contender->standing == STANDING_DOWN ||
			contender->standing == STANDING_PROBED) &&
		    !is_told(contenders, i))
			g_string_append_printf(text, "%s%s: %s",
			    text->len > 0 ? "; " : "", name, contender->error);
	}
	return g_string_free(text, FALSE);
}

/* Until the first of them is due; -1: all that are down are being probed. */
static gint64
next_try(const GArray *contenders)
{
	gint64 wait = -1;

	for (guint i = 0; i < contenders->len; i++) {
		const struct contender *contender = contender_at(contenders, i);

		if (contender->standing == STANDING_DOWN &&
		    (wait < 0 || contender->wait < wait))
			wait = contender->wait;
	}
	return wait;
}

static void
all_down(const GArray *contenders, struct verdict *verdict)
{
	g_autofree char *errors = errors_text(contenders);
	gint64 wait = next_try(contenders);

	if (wait < 0)
		verdict_set(verdict, VERDICT_DEFER, "4.4.1",
		    "all hosts of the route are down: %s; being probed",
		    errors);
	else
		verdict_set(verdict, VERDICT_DEFER, "4.4.1",
		    "all hosts of the route are down: %s; next try in "
		    "%" G_GINT64_FORMAT " s",
		    errors, whole_seconds(wait));
}

void
passedover_verdict(const GArray *contenders, struct verdict *verdict)
{
	g_autofree char *hosts = passedover_text(contenders);
	guint drained = count_standing(contenders, STANDING_DRAINED);
	guint full = count_standing(contenders, STANDING_FULL);
	guint rated = count_standing(contenders, STANDING_RATED);

	if (rated > 0 && full + rated == contenders->len - drained)
		/* Mail system congestion (RFC 3463 section 3.5). */
		verdict_set(verdict, VERDICT_DEFER, "4.4.5",
		    "all hosts of the route are %sat their rate%s",
		    full > 0 ? "full or " : "", hosts);
	else if (drained == contenders->len)
		verdict_set(verdict, VERDICT_DEFER, "4.3.2",
		    "all hosts of the route are drained");
	else if (full == contenders->len - drained &&
	    count_learnt(contenders) > 0)
		verdict_set(verdict, VERDICT_DEFER, "4.4.5",
		    "all hosts of the route are full%s", hosts);
	else if (full == contenders->len - drained)
		verdict_set(verdict, VERDICT_DEFER, "4.4.5",
		    "all hosts of the route are at their max-connections");
	else if (full + rated == 0)
		all_down(contenders, verdict);
	else
		verdict_set(verdict, VERDICT_DEFER, "4.4.1",
		    "no host of the route can be had%s", hosts);
}
