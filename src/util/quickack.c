/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "util/quickack.h"

void
quickack(int fd)
{
#ifdef TCP_QUICKACK
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
#else
	(void)fd;
#endif
}
