/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "dns/reach.h"
#include "util/autofd.h"

/* What an IPv6 address is good for: only like talks well with like. */
enum kind {
	KIND_GLOBAL,
	KIND_LOOPBACK,
	KIND_LINK,
	KIND_UNIQUE_LOCAL,
	KIND_6TO4,
	KIND_TEREDO,
};

static enum kind
kind_of(const struct in6_addr *address)
{
	static const guint8 teredo[] = {0x20, 0x01, 0, 0};
	const guint8 *bytes = address->s6_addr;

	if (IN6_IS_ADDR_LOOPBACK(address))
		return KIND_LOOPBACK;
	if (IN6_IS_ADDR_LINKLOCAL(address))
		return KIND_LINK;
	if ((bytes[0] & 0xfe) == 0xfc)
		return KIND_UNIQUE_LOCAL;
	if (bytes[0] == 0x20 && bytes[1] == 0x02)
		return KIND_6TO4;
	if (memcmp(bytes, teredo, sizeof(teredo)) == 0)
		return KIND_TEREDO;
	return KIND_GLOBAL;
}

enum reach
reach(const struct endpoint *endpoint)
{
	struct endpoint from = {.length = sizeof(from.sa)};
	int af = endpoint_family(endpoint);
	autofd fd = socket(af, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, &endpoint->sa.any, endpoint->length) < 0 ||
	    getsockname(fd, &from.sa.any, &from.length) < 0)
		return REACH_NONE;
	if (af == AF_INET6 &&
	    kind_of(&from.sa.in6.sin6_addr) !=
		kind_of(&endpoint->sa.in6.sin6_addr))
		return REACH_POOR;
	return REACH_GOOD;
}
