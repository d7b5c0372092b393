/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A contender: a host of a route that a delivery may choose.  Those of the
 * same priority are a group.
 */
#ifndef SMTPROUTE_CONTENDER_H
#define SMTPROUTE_CONTENDER_H

#include <glib.h>

#include "hosts/hostrecord.h"
#include "hosts/statefile.h"
#include "hosts/tally.h"

/* Why a host was not chosen. */
enum standing {
	STANDING_FREE,    /* zero: another one's turn came first */
	STANDING_TRIED,   /* chosen before */
	STANDING_DRAINED, /* in the map, or by command */
	STANDING_DOWN,
	STANDING_PROBED, /* down, and another process is finding out */
	STANDING_FULL,   /* max-connections, or as many as it takes */
	STANDING_RATED,  /* it has had as many as its rate allows */
};

/* A host to choose from. */
struct contender {
	const char *name;
	guint16 port;
	guint16 priority;
	guint weight;          /* 1 or more */
	gboolean leastconn;    /* it is for who has the fewest sessions */
	gboolean counted;      /* sessions are, for this route or others */
	gint64 slow_start;     /* microseconds, 0: none; see balance.h */
	guint max_connections; /* G_MAXUINT: no limit */
	gint64 lease;          /* a delivery takes at most, in microseconds */
	gboolean stranger;     /* DNS has named it, not the map: USEDNS */
	gboolean overdue;      /* who holds its slots has not let go of them:
				* held is not set any more */
	gint64 again;          /* full for this delivery until then, by
				* health_now() */
	struct rates rates[TALLY_UNITS];
	enum standing standing;
	gboolean held;   /* full, but only of those who hold slots (slots.h) */
	guint capacity;  /* as learnt (capacity.h); G_MAXUINT: nothing was */
	guint connected; /* now; preview_order() and leastconn set it */
	guint missing;   /* of its share, in BALANCE_STEPS */
	/*
	 * Set if STANDING_DOWN, _PROBED or _RATED: microseconds until it is
	 * due; -1: never, as the message has more recipients than the rate
	 */
	gint64 wait;
	/* Set if STANDING_DOWN or _PROBED: */
	char error[HOSTRECORD_ERROR_MAX];
};

/* Who wants to choose, and when. */
struct chooser {
	const struct health_limits *limits;
	gint64 now;       /* health_now() */
	guint64 sender;   /* suspicion_sender(), 0: nobody */
	guint recipients; /* of the message, 1 or more */
	gboolean partial; /* it may go to some of them first */
};

/* Is its standing beyond doubt, whatever the state says? */
gboolean
contender_is_settled(const struct contender *contender);

/*
 * Its standing by the state, but for STANDING_FULL; sets capacity, wait and
 * error, as above.
 */
enum standing
contender_standing(struct statefile_view *view, struct contender *contender,
    const struct chooser *chooser);

/* How many sessions it may have; G_MAXUINT: any number. */
guint
contender_limit(const struct contender *contender);

/* How many from @group on have its priority; @left: 1 or more, by priority. */
guint
contender_group_length(const struct contender *group, guint left);

#endif
