/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "hosts/choice.h"
#include "hosts/slots.h"
#include "util/ticket.h"

struct choice
choice_new(struct hoststate *state, struct contender *contenders, guint count)
{
	return (struct choice){
	    .state = state,
	    .contenders = contenders,
	    .count = count,
	    .chooser =
		{
		    .limits = &state->limits,
		    .now = health_now(),
		    .sender = state->sender,
		    .recipients = MAX(state->grant.recipients, 1),
		    .partial = state->grant.partial,
		},
	};
}

void
choice_update(const struct choice *choice, struct statefile_view *view,
    struct contender *contender)
{
	g_autofree char *key = NULL;
	guint limit;

	if (contender_is_settled(contender))
		return;
	contender->standing =
	    contender_standing(view, contender, &choice->chooser);
	limit = contender_limit(contender);
	if (contender->standing != STANDING_FREE || limit == G_MAXUINT)
		return;
	key = slots_connected_key(contender->name, contender->port);
	if (slots_are_full(view, key, limit))
		contender->standing = STANDING_FULL;
}

void
choice_take_ticket(struct hoststate *state)
{
	if (state->ticket == 0)
		state->ticket = ticket_take(statefile_ticket_fd(state->file));
}
