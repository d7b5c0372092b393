/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How well an address can be reached from here, as far as the routes and this
 * machine's own addresses tell: rules 1, 2 and 5 of RFC 6724 section 6.
 */
#ifndef SMTPROUTE_REACH_H
#define SMTPROUTE_REACH_H

#include "address/endpoint.h"

enum reach {
	REACH_GOOD, /* zero: the best */
	REACH_POOR, /* only from an address of another kind */
	REACH_NONE, /* no route */
};

/* Sends nothing. */
enum reach
reach(const struct endpoint *endpoint);

#endif
