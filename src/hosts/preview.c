/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "hosts/balance.h"
#include "hosts/preview.h"
#include "hosts/rotation.h"
#include "hosts/slots.h"

struct preview {
	const struct health_limits *limits;
	struct contender *contenders;
	guint count;
	guint *order;
	guint length;
	gint64 now;
};

/* The view may only be for reading. */
static void
preview_standing(struct statefile_view *view, struct contender *contender,
    const struct preview *preview)
{
	const struct chooser chooser = {
	    .limits = preview->limits,
	    .now = preview->now,
	    .recipients = 1,
	};
	g_autofree char *key =
	    slots_connected_key(contender->name, contender->port);

	contender->connected = slots_count(view, key);
	if (contender_is_settled(contender))
		return;
	contender->standing = contender_standing(view, contender, &chooser);
	if (contender->standing == STANDING_FREE &&
	    slots_count_busy(view, key) >= contender_limit(contender))
		contender->standing = STANDING_FULL;
}

static void
preview_group(struct preview *preview, struct statefile_view *view,
    struct contender *group, guint length)
{
	g_autofree guint *weights = NULL;

	while ((weights = balance_weights(view, group, length)) != NULL) {
		g_autofree gint32 *turns = rotation_load(view, group, length);
		guint turn = rotation_pick(turns, weights, length);

		group[turn].standing = STANDING_TRIED;
		preview->order[preview->length++] =
		    (guint)(group - preview->contenders) + turn;
		g_clear_pointer(&weights, g_free);
	}
}

/* @view: NULL: nothing has been written yet. */
static void
preview_work(struct statefile_view *view, void *data)
{
	struct preview *preview = data;
	struct contender *contenders = preview->contenders;
	guint length;

	preview->length = 0;
	for (guint i = 0; i < preview->count; i++) {
		if (view != NULL)
			preview_standing(view, &contenders[i], preview);
		else if (!contender_is_settled(&contenders[i]))
			contenders[i].standing = STANDING_FREE;
	}
	for (guint i = 0; i < preview->count; i += length) {
		length =
		    contender_group_length(&contenders[i], preview->count - i);
		preview_group(preview, view, &contenders[i], length);
	}
	for (guint i = 0; i < preview->length; i++)
		contenders[preview->order[i]].standing = STANDING_FREE;
}

gboolean
preview_order(const char *directory, const struct health_limits *limits,
    struct contender *contenders, guint count, guint *order, guint *ret_length,
    GError **error)
{
	g_autoptr(Statefile) file = statefile_new(directory);
	struct preview preview = {
	    .limits = limits,
	    .contenders = contenders,
	    .count = count,
	    .order = order,
	    .now = health_now(),
	};
	g_autoptr(GError) reason = NULL;

	if (!statefile_run(file, STATEFILE_READ, preview_work, &preview,
		&reason)) {
		if (!g_error_matches(reason, STATEFILE_ERROR,
			STATEFILE_ERROR_ABSENT)) {
			g_propagate_error(error, g_steal_pointer(&reason));
			return FALSE;
		}
		preview_work(NULL, &preview);
	}
	*ret_length = preview.length;
	return TRUE;
}
