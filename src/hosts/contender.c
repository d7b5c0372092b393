/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "hosts/contender.h"

gboolean
contender_is_settled(const struct contender *contender)
{
	return contender->standing == STANDING_TRIED ||
	    contender->standing == STANDING_DRAINED;
}

enum standing
contender_standing(struct statefile_view *view, struct contender *contender,
    const struct health_limits *limits, gint64 now)
{
	g_autofree char *key = hostrecord_key(contender->name, contender->port);
	struct hostrecord record;

	hostrecord_load(&record, statefile_get(view, key, sizeof(record)));
	if (record.drained)
		return STANDING_DRAINED;
	if (!health_is_up(&record.health)) {
		contender->wait = health_wait(&record.health, limits, now);
		g_strlcpy(contender->error, record.last_error,
		    sizeof(contender->error));
		if (contender->wait > 0)
			return STANDING_DOWN;
		if (health_is_probed(&record.health, statefile_lock_fd(view),
			now))
			return STANDING_PROBED;
	}
	return STANDING_FREE;
}

guint
contender_group_length(const struct contender *group, guint left)
{
	guint length = 1;

	while (length < left && group[length].priority == group[0].priority)
		length++;
	return length;
}
