/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Colours, where the reader is a person at a terminal.
 */
#ifndef SMTPROUTE_CTL_PAINT_H
#define SMTPROUTE_CTL_PAINT_H

#include "ctl/ctl.h"

enum paint {
	PAINT_END, /* zero: back to plain text */
	PAINT_TITLE,
	PAINT_GOOD,
	PAINT_BAD,
	PAINT_WARNING,
};

/* What to say for it; "" without colours. */
const char *
paint(const struct ctl *ctl, enum paint how);

#endif
