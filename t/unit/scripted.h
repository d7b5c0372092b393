/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host that follows a script, in a thread of its own.
 */
#ifndef SMTPROUTE_SCRIPTED_H
#define SMTPROUTE_SCRIPTED_H

#include <glib.h>

/*
 * What it says, one reply after another: the greeting, then to each command,
 * and to the content after 354.  "|" is between replies, LF between lines. "-":
 * nothing; "!" at the end of a reply, or alone: it closes then, as it does at
 * the end of the script.  "||" is between connections.
 */
struct scripted {
	int listener; /* -1: there is one connection, a pair of sockets */
	int fd;
	char **scripts;
	char **script;
	guint next;
	GString *input;
	GString
	    *heard; /* commands, "RCPT" for "RCPT TO:..."; MAIL, AUTH whole */
	GString *content;
	GThread *thread;
};

/* Over a pair of sockets: the other end, which does not block. */
int
scripted_pair(struct scripted *host, const char *script);

/* At 127.0.0.1: the port. */
guint16
scripted_listen(struct scripted *host, const char *script);

/* Waits until it has closed; who listens stops doing so. */
void
scripted_end(struct scripted *host);

void
scripted_clear(struct scripted *host);

#endif
