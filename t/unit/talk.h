/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection between a peer and a host, which is a thread or the test
 * itself.
 */
#ifndef SMTPROUTE_TALK_H
#define SMTPROUTE_TALK_H

#include <glib.h>

#include "smtp/peer.h"
#include "util/deadline.h"

/* Never comes in a test that passes. */
#define MINUTES (G_TIME_SPAN_MINUTE * 10)
#define FOREVER (deadline_in(MINUTES))

/* More than any socket buffers. */
#define HUGE_SIZE (16 * 1024 * 1024)

struct talk {
	int ours;
	int theirs;
	struct peer *peer;
	GThread *host;
	gsize reads;
	const char *text;
	gsize piece;
	gboolean reads_on;
	GString *got;
};

/* @ours and @theirs, the two ends, are closed by talk_free(). */
struct talk *
talk_over(int ours, int theirs);

struct talk *
talk_new(void);

/* The same over TCP, since only that can be reset. */
struct talk *
talk_over_tcp(void);

/* The test is the host and says @text. */
void
talk_say(const struct talk *talk, const char *text);

/*
 * A host that waits for @reads bytes, says @text in pieces of @piece bytes,
 * and closes.
 */
void
talk_start_host(struct talk *talk, gsize reads, const char *text, gsize piece);

/* A host that only reads. */
void
talk_start_reader(struct talk *talk);

/* Ends the host; returns all that it has read. */
const GString *
talk_end(struct talk *talk);

void
talk_free(struct talk *talk);

/* For g_autoptr(), which wants one word. */
typedef struct talk Talk;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Talk, talk_free)

#endif
