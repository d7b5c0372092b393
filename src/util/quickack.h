/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a host has sent is acknowledged at once.
 */
#ifndef SMTPROUTE_QUICKACK_H
#define SMTPROUTE_QUICKACK_H

/*
 * Before each wait for what the other end of @fd says next: a host that has
 * sent a TLS session ticket, or the first line of its reply, keeps back what
 * comes next until that is acknowledged (Nagle), and a delayed ACK takes 40 ms.
 * What has come by now is acknowledged by this.
 * Linux forgets the option by itself (tcp(7)), so once is not enough.
 * Anything but a TCP socket is left alone.
 */
void
quickack(int fd);

#endif
