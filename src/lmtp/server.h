/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The LMTP face (RFC 2033): Postfix's lmtp(8) speaks with it through spawn(8).
 */
#ifndef SMTPROUTE_SERVER_H
#define SMTPROUTE_SERVER_H

/*
 * Serves one client, from the greeting to its end: reads from @input, writes
 * to @output, which becomes non-blocking.  @conf: the path of the settings,
 * which are read again when they have changed.
 */
void
server_run(int input, int output, const char *conf);

#endif
