/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hosts as they are named on the command line.
 */
#ifndef SMTPROUTE_CTL_HOSTARG_H
#define SMTPROUTE_CTL_HOSTARG_H

#include <glib.h>

struct hostarg {
	char *name;   /* canonical, without brackets */
	guint16 port; /* 0: all ports of that name */
};

gboolean
hostarg_matches(const struct hostarg *arg, const char *name, guint16 port);

/*
 * The forms of a route's destination, without options: NAME, [NAME] or an
 * address, IPv6 in brackets where ":PORT" follows.  An array of struct hostarg;
 * NULL: complain() has said why.
 */
GPtrArray *
hostarg_parse_all(int count, char **texts);

#endif
