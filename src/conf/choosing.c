/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "address/domain.h"
#include "conf/choosing.h"

struct choosing
choosing_unset(void)
{
	return (struct choosing){
	    .when_unsure = WHEN_UNSURE_UNSET,
	    .balance = BALANCE_UNSET,
	    .patience = -1,
	    .slow_start = -1,
	    .waiting = G_MAXUINT,
	};
}

void
choosing_overlay(struct choosing *to, const struct choosing *from)
{
	if (from->when_unsure != WHEN_UNSURE_UNSET)
		to->when_unsure = from->when_unsure;
	if (from->balance != BALANCE_UNSET)
		to->balance = from->balance;
	if (from->patience >= 0)
		to->patience = from->patience;
	if (from->slow_start >= 0)
		to->slow_start = from->slow_start;
	if (from->waiting != G_MAXUINT)
		to->waiting = from->waiting;
}

/* A literal has no brackets here, where a group's name cannot have them. */
char *
choosing_id(const char *key)
{
	g_autofree char *parent = NULL;
	char *id;

	if (g_ascii_strcasecmp(key, "ALL") == 0)
		return g_strdup("*");
	if (key[0] == '.') {
		parent = domain_canonical(key + 1, NULL);
		if (parent != NULL)
			return g_strconcat(".", parent, NULL);
	}
	id = domain_canonical(key, NULL);
	return id != NULL ? id : g_ascii_strdown(key, -1);
}
