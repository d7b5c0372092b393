/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tally: how many transactions and recipients a host got of late, over all
 * processes, for hosts with a rate (rate.h).
 *
 * Who has chosen the host has a place: there will be room for the message when
 * it comes to MAIL, going by what others took lately from the choice to there
 * (the lead).  Right before MAIL the place becomes a claim, for which there has
 * to be room at that moment, and which lasts until the host has answered, when
 * it is counted.  So it counts at any moment at which the host may see it, and
 * no window of the host's has more than a rate allows, however long any of it
 * takes; and what a connection takes to open is not lost to the rate.  Places
 * are no more than there is room for within the lead.
 *
 * A place that was not used is given back, also by whoever was killed; the
 * claim of a process that was killed is counted.
 *
 * Times in it are of a clock of its own, since windows outlast a restart of the
 * machine: it goes on as CLOCK_BOOTTIME does, which nobody can set.  What the
 * machine was off for is told by the real time, and if that has gone back,
 * it was for no time at all.
 */
#ifndef SMTPROUTE_TALLY_H
#define SMTPROUTE_TALLY_H

#include <glib.h>

#include "hosts/statefile.h"
#include "hosts/window.h"
#include "util/rate.h"

/* What all keys of tallies begin with. */
#define TALLY_PREFIX "tally "

/* More are kept of no host, lest routes that differ make a record grow. */
#define TALLY_WINDOWS_MAX 32

enum tally_unit {
	TALLY_TRANSACTIONS,
	TALLY_RECIPIENTS,
	TALLY_UNITS,
};

struct tally_window {
	enum tally_unit unit;
	struct window window;
};

/* Longer than this no place is taken before there is room. */
#define TALLY_LEAD_MAX (4 * (gint64)G_USEC_PER_SEC)

struct claim {
	guint64 ticket; /* whose, see ticket.h */
	guint32 recipients;
	gboolean begun; /* FALSE: it is but a place */
};

struct tally {
	gint64 seen;     /* real time of the last change, microseconds */
	gint64 boot;     /* health_now() then */
	gint64 clock;    /* the time of the windows */
	GArray *windows; /* of struct tally_window */
	GArray *claims;  /* of struct claim */
	gint64 opening;  /* from the choice to MAIL, of late; 0: unknown */
};

/* What a message wants, and what it may have. */
struct tally_rates {
	const struct rates *rates[TALLY_UNITS];
	guint recipients; /* that it is for */
	gboolean partial; /* fewer may be sent at a time */
};

/* Moments as a tally knows them. */
struct tally_time {
	gint64 boot; /* health_now() */
	gint64 real;
};

/* Is there any rate? */
gboolean
tally_rates_any(const struct tally_rates *rates);

struct tally_time
tally_now(void);

/* An empty one. */
struct tally *
tally_new(void);

/* Of the state file's record; damaged ones are cut down to what is sound. */
struct tally *
tally_read(const void *value, gsize size);

/* As the state file has it. */
GByteArray *
tally_write(const struct tally *tally);

/* Of a host, up to @now.  *ret_known, unless it is NULL: is there a record? */
struct tally *
tally_load(struct statefile_view *view, const char *name, guint16 port,
    const struct tally_time *now, gboolean *ret_known);

/* A record of nothing is taken away. */
void
tally_store(struct statefile_view *view, const char *name, guint16 port,
    struct tally *tally, const struct tally_time *now);

/* Goes on to @now. */
void
tally_advance(struct tally *tally, const struct tally_time *now);

/* Does nothing count any more? */
gboolean
tally_is_spent(const struct tally *tally);

/* How long before there is room a place may be had. */
gint64
tally_lead(const struct tally *tally);

/* One more has taken so long from the choice of the host to MAIL. */
void
tally_note_opening(struct tally *tally, gint64 span);

/*
 * Until there is a place for a transaction, with all recipients or, if the
 * message may be parted, with one; 0: now.  -1: never, since it has too many
 * recipients.
 *
 * Claims free nothing before their end, which nobody knows: they are taken to
 * be counted now.
 */
gint64
tally_wait(const struct tally *tally, const struct tally_rates *rates);

/* For how many recipients there is a place now: G_MAXUINT for any number. */
guint
tally_room(const struct tally *tally, const struct tally_rates *rates,
    enum tally_unit unit);

/* The smallest number of transactions that any of them allows. */
guint32
tally_rates_least(const struct rates rates[TALLY_UNITS]);

/* A place for one transaction.  @ticket has no other; 0: there is none. */
void
tally_reserve(struct tally *tally, const struct tally_rates *rates,
    guint64 ticket, guint recipients);

/*
 * MAIL is about to be said: the ticket's place becomes a claim.  Returns how
 * long until there is room for it, 0: now, and it is one; -1: never.  Without a
 * ticket it is counted at once.
 */
gint64
tally_begin(struct tally *tally, const struct tally_rates *rates,
    guint64 ticket, guint recipients);

/* The host has answered MAIL, at @then (health_now()). */
void
tally_count(struct tally *tally, guint64 ticket, gint64 then);

/* MAIL was not said: neither place nor claim is left. */
void
tally_give_back(struct tally *tally, guint64 ticket);

/*
 * Counts the claims of those who are gone; their places are free.  @fd: as for
 * ticket_is_alive().
 */
void
tally_count_dead(struct tally *tally, int fd);

/* How many count in the window of this span, claims and places among them. */
guint64
tally_used(const struct tally *tally, enum tally_unit unit, gint64 span);

void
tally_free(struct tally *tally);

/* For g_autoptr(), which wants one word. */
typedef struct tally Tally;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tally, tally_free)

#endif
