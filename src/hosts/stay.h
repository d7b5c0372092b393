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
	const struct endpoint *endpoint; /* NULL: no address could be found */
	const struct outcome *outcomes;  /* one for each recipient */
	guint count;
	gint64 connect; /* how long it took, microseconds; -1: not connected */
	gint64 total;
	gboolean tls_hung; /* a handshake had no answer, TLS was left out */
};

/* What has become of the host that was left. */
enum change {
	CHANGE_NONE,
	CHANGE_DOWN, /* or down again */
	CHANGE_UP,
};

struct departure {
	enum change change;
	gint64 span; /* down from now on for, or was down for; microseconds */
};

/* All zero: nothing was noted. */
struct stay {
	gboolean answered; /* some attempt had a reply, and no trouble of the
			    * host's */
	gboolean failed;   /* some attempt did */
	gboolean tls_hung;
	struct hostrecord gained;
	guint bad_count; /* of gained.bad */
	guint good_count;
	char good[HOSTRECORD_ADDRESSES][ENDPOINT_TEXT_SIZE];
};

void
stay_note(struct stay *stay, const struct visit *visit);

/* The host of this record is up. */
void
stay_come_up(struct hostrecord *record, struct departure *departure);

/*
 * Adds the stay to the host's record.  The host is up if any attempt had a
 * reply and met no trouble of the host's own, down if it met nothing else,
 * and as before if nothing was learnt of it.
 *
 * @now: see health.h; @probed: was it the one probe?
 */
void
stay_apply(const struct stay *stay, struct hostrecord *record,
    const struct health_limits *limits, gint64 now, gboolean probed,
    struct departure *departure);

#endif
