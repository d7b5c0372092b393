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

	if (contender_is_settled(contender))
		return;
	contender->standing =
	    contender_standing(view, contender, &choice->chooser);
	contender->held = FALSE;
	if (contender->standing != STANDING_FREE ||
	    holdings_have_room(choice->state, view, contender))
		return;
	contender->standing = STANDING_FULL;
	key = slots_connected_key(contender->name, contender->port);
	contender->held = !contender->overdue &&
	    slots_count_busy(view, key) < contender_limit(contender);
}

void
choice_take_ticket(struct hoststate *state)
{
	if (state->ticket == 0)
		state->ticket = ticket_take(statefile_ticket_fd(state->file));
}
