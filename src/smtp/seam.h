/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seam at which libESMTP is cut off from the network.  It has no call that
 * takes a connection, but it calls socket(2), connect(2), poll(2), read(2) and
 * write(2) as any program does, and finds the definitions in seam.c, which
 * answer them from memory for what it takes for its socket.
 */
#ifndef SMTPROUTE_SEAM_H
#define SMTPROUTE_SEAM_H

#include <glib.h>

struct seam {
	GString *input; /* what it has still to read, the caller's: it never
			 * waits for more, but ends with a time-out */
	/* All that it writes, which comes before it reads again. */
	void (*written)(const char *text, gsize length, void *data);
	void *data;
	gboolean taken; /* it has its socket */
};

/*
 * The next socket() of the calling thread is @seam, until seam_close().  All
 * other sockets, and other threads', are real ones.
 */
void
seam_open(struct seam *seam);

void
seam_close(void);

#endif
