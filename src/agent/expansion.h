/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hosts that one destination stands for: the mail exchangers of a name, by
 * preference, equal ones shuffled (RFC 5321 section 5.1), or the name itself;
 * and their addresses.  They are looked up when it is the turn of their
 * preference, then all of it at the same time, since those of this machine's
 * own preference, and of worse ones, are cut off.
 */
#ifndef SMTPROUTE_EXPANSION_H
#define SMTPROUTE_EXPANSION_H

#include <glib.h>

#include "agent/self.h"
#include "conf/settings.h"
#include "dns/resolver.h"
#include "route/route.h"

#define EXPANSION_ERROR (expansion_error_quark())

enum expansion_error {
	EXPANSION_ERROR_SELF, /* it all leads to this machine */
};

GQuark
expansion_error_quark(void);

/*
 * Names that senders chose: so many hosts of one are looked up at the most,
 * with two questions each.  The large providers have five.
 */
#define EXPANSION_STRANGERS_MAX 10

/* What it is made from; all must outlive it. */
struct expansion_source {
	const struct destination *destination;
	struct resolver *resolver;
	struct self *self;
	GStringChunk *names; /* gets those of the exchangers */
	enum address_family family;
	gint64 lookup_span; /* for one lookup */
	gboolean stranger;  /* the recipient's domain, not the map, names it */
};

struct expanded {
	const char *host;  /* destination->name itself, or of source->names */
	int preference;    /* of the MX, -1: it is none */
	GArray *addresses; /* of struct endpoint; belongs to the expansion */
};

struct expansion;

/* Looks nothing up yet. */
struct expansion *
expansion_new(const struct expansion_source *source);

enum expansion_step {
	EXPANSION_END,
	EXPANSION_HOST,
	EXPANSION_FAILED, /* only the addresses are missing; error is set */
};

/*
 * The next host, or what kept the destination from being expanded at all.
 * Errors: RESOLVE_ERROR, EXPANSION_ERROR.
 */
enum expansion_step
expansion_next(struct expansion *expansion, gint64 deadline,
    struct expanded *expanded, GError **error);

/*
 * Why exchangers were cut off, or not looked up, so far: one line for people;
 * NULL: none were.
 */
const char *
expansion_cut(const struct expansion *expansion);

void
expansion_free(struct expansion *expansion);

/* For g_autoptr(), which wants one word. */
typedef struct expansion Expansion;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Expansion, expansion_free)

#endif
