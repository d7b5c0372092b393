/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name of a profile: auth= in routes, [auth NAME] in settings.
 */
#ifndef SMTPROUTE_AUTHNAME_H
#define SMTPROUTE_AUTHNAME_H

#include <string.h>

#include <glib.h>

/* For messages: what it is made of. */
#define AUTHNAME_EXPECTED "letters, digits, '-', '_' and '.'"

static inline gboolean
authname_is_valid(const char *name)
{
	static const char bytes[] =
	    G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.";

	return name[0] != '\0' && name[strspn(name, bytes)] == '\0';
}

/* Names that are equal but for their case are one.  A new string. */
static inline char *
authname_canonical(const char *name)
{
	return g_ascii_strdown(name, -1);
}

#endif
