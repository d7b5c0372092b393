/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>
#include <sys/socket.h>

#include "address/family.h"

static const char *const names[] = {
    [FAMILY_UNSET] = "",
    [FAMILY_ANY] = "any",
    [FAMILY_IPV4] = "ipv4",
    [FAMILY_IPV6] = "ipv6",
    [FAMILY_PREFER_IPV4] = "prefer-ipv4",
    [FAMILY_PREFER_IPV6] = "prefer-ipv6",
};

gboolean
family_parse(const char *text, enum address_family *ret)
{
	for (gsize i = FAMILY_ANY; i < G_N_ELEMENTS(names); i++) {
		if (strcmp(names[i], text) == 0) {
			*ret = (enum address_family)i;
			return TRUE;
		}
	}
	return FALSE;
}

const char *
family_name(enum address_family family)
{
	return names[family];
}

gboolean
family_has(enum address_family family, int af)
{
	if (family == FAMILY_IPV4)
		return af == AF_INET;
	if (family == FAMILY_IPV6)
		return af == AF_INET6;
	return TRUE;
}
