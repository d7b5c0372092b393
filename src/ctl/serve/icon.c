/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "ctl/serve/icon.h"

static const struct {
	const char *class;
	const char *shape; /* in a box of 16 by 16 */
	const char *colour;
} icons[] = {
    [ICON_GOOD] = {"good",
	"M8 1a7 7 0 1 0 .01 0zM7 11.6 3.6 8.2l1.3-1.3L7 9l"
	"4.2-4.2 1.3 1.3z",
	"%230f7b33"},
    [ICON_WARN] = {"warn", "M8 1 15.5 15H.5zM7 6v4.5h2V6zm0 5.7v2h2v-2z",
	"%23b07200"},
    [ICON_BAD] = {"bad",
	"M3.2 1 8 5.8 12.8 1 15 3.2 10.2 8 15 12.8 12.8 15 "
	"8 10.2 3.2 15 1 12.8 5.8 8 1 3.2z",
	"%23c0142b"},
    [ICON_IDLE] = {"faint", "M3 2h4v12H3zm6 0h4v12H9z", "%23666"},
};

const char *
icon_class(enum icon icon)
{
	return icons[icon].class;
}

void
icon_add(GString *to, enum icon icon)
{
	g_string_append_printf(to,
	    "<svg class=\"icon\" viewBox=\"0 0 16 16\" aria-hidden=\"true\">"
	    "<path fill-rule=\"evenodd\" d=\"%s\"/></svg>",
	    icons[icon].shape);
}

void
icon_add_link(GString *to, enum icon icon)
{
	g_string_append_printf(to,
	    "<link rel=\"icon\" href=\"data:image/svg+xml,%%3Csvg "
	    "xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%%3E"
	    "%%3Cpath fill='%s' fill-rule='evenodd' d='%s'/%%3E%%3C/svg%%3E\">",
	    icons[icon].colour, icons[icon].shape);
}

enum icon
icon_of_host(const struct hostrow *row)
{
	switch (hostrow_standing(row)) {
	case HOSTROW_DOWN:
		return ICON_BAD;
	case HOSTROW_DRAINED:
	case HOSTROW_DRAINED_IN_MAP:
		return ICON_IDLE;
	case HOSTROW_UP:
		break;
	}
	return hostrow_is_busy(row) ? ICON_WARN : ICON_GOOD;
}
