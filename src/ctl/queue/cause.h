/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a deferral's text says: which hosts were tried or passed over, and why.
 */
#ifndef SMTPROUTE_CTL_QUEUE_CAUSE_H
#define SMTPROUTE_CTL_QUEUE_CAUSE_H

#include <glib.h>

struct cause {
	char *host; /* "name:port"; NULL: the text names none */
	char *text; /* without seconds to wait, so that many have the same */
};

/*
 * An array of struct cause, never empty.  @reason: as the agent has said it to
 * pipe(8) or lmtp(8); NULL: nothing yet.
 */
GPtrArray *
cause_parse(const char *reason);

#endif
