/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stay at a host, written as what its attempts came to, a letter for each
 * recipient: "D" delivered, "x" connection refused, and so on (visits.c).
 */
#ifndef SMTPROUTE_VISITS_H
#define SMTPROUTE_VISITS_H

#include "hosts/stay.h"

extern const struct health_limits visits_limits;

struct outcome
visits_outcome(char letter);

/*
 * Attempts, divided by blanks, at 192.0.2.1, 192.0.2.2 and so on; "+" in
 * front: the host serves others meanwhile.
 */
void
visits_note(struct stay *stay, const char *attempts);

/* @attempts of one stay at a host whose record this is. */
void
visits_apply(struct hostrecord *record, const char *attempts, gint64 now);

#endif
