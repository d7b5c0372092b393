/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stay at a host: what its attempts, at one address after another, come to
 * for the host as a whole.
 */
#ifndef SMTPROUTE_STAY_H
#define SMTPROUTE_STAY_H

#include <glib.h>

#include "address/endpoint.h"
#include "hosts/health.h"
#include "hosts/hostrecord.h"
#include "smtp/outcome.h"

/* What an attempt has come to. */
struct visit {
	const char *address;            /* NULL: none could be found */
	const struct outcome *outcomes; /* one for each recipient */
	guint count;
	gint64 connect; /* how long it took, microseconds; -1: not connected */
	gint64 total;
	gboolean tls_hung; /* a handshake had no answer, TLS was left out */
	gboolean inquiry;  /* no message: nothing is delivered or deferred */
	gboolean refused;  /* the connection, by the host */
};

/* What has become of the host that was left. */
enum change {
	CHANGE_NONE,
	CHANGE_DOWN, /* or down again */
	CHANGE_UP,
	CHANGE_SUSPECT,
	CHANGE_FULL,
};

struct departure {
	enum change change;
	gint64 span; /* down from now on for, or was down for; microseconds */
	guint sessions; /* CHANGE_FULL: it takes as many at once */
	gboolean full;  /* it may take this message in a moment */
};

/* All zero: nothing was noted. */
struct stay {
	gboolean answered; /* some attempt had a reply, and no trouble of the
			    * host's */
	gboolean failed;   /* some attempt did */
	gboolean tls_hung;
	gboolean suspected;
	guint64 sender; /* of the message, suspicion_sender() */
	gint64 begun;   /* health_now() */
	/*
	 * If each failure was one that a full host has: our other sessions that
	 * it was serving meanwhile, else 0.
	 */
	guint sessions;
	struct hostrecord gained;
	guint bad_count; /* of gained.bad */
	guint good_count;
	char good[HOSTRECORD_ADDRESSES][ENDPOINT_TEXT_SIZE];
};

/*
 * Does the visit look as if the host had too many sessions?  Refusals before
 * any transaction that say nothing of us.
 */
gboolean
stay_looks_full(const struct visit *visit);

/*
 * @sessions: those of others that the host is serving, if it looks full, else
 * 0.
 */
void
stay_note(struct stay *stay, const struct visit *visit, guint sessions);

/* The host of this record is up. */
void
stay_come_up(struct hostrecord *record, struct departure *departure);

/*
 * Adds the stay to the host's record.  The host is up if any attempt had a
 * reply and met no trouble of the host's own; if it met nothing else, full if
 * it was serving others, else down, unless it came up since the stay began;
 * suspect, or down, if a reply ended the session that may concern the sender
 * only; and as before if nothing was learnt of it.
 *
 * @now: see health.h; @probed: was it the one probe?
 */
void
stay_apply(const struct stay *stay, struct hostrecord *record,
    const struct health_limits *limits, gint64 now, gboolean probed,
    struct departure *departure);

#endif
