/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "ctl/paint.h"

const char *
paint(const struct ctl *ctl, enum paint how)
{
	/* ECMA-48, section 8.3.117. */
	static const char *const codes[] = {
	    [PAINT_END] = "\033[m",
	    [PAINT_TITLE] = "\033[1m",
	    [PAINT_GOOD] = "\033[32m",
	    [PAINT_BAD] = "\033[31m",
	    [PAINT_WARNING] = "\033[33m",
	};

	return ctl->colour ? codes[how] : "";
}
