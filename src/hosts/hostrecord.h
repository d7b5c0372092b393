/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is remembered of one host, as it stands in the state file.  Whoever
 * changes this changes LAYOUT in statefile.c.
 */
#ifndef SMTPROUTE_HOSTRECORD_H
#define SMTPROUTE_HOSTRECORD_H

#include <glib.h>

#include "address/endpoint.h"
#include "hosts/capacity.h"
#include "hosts/health.h"
#include "hosts/hourly.h"
#include "hosts/suspicion.h"

#define HOSTRECORD_STAGES    16
#define HOSTRECORD_ADDRESSES 8
#define HOSTRECORD_ERROR_MAX 200

/* Spans in microseconds. */
struct latency {
	guint64 count;
	guint64 sum;
	guint64 recent; /* moving average, the last eight weigh most */
};

/* An address that failed while others may do. */
struct bad_address {
	char text[ENDPOINT_TEXT_SIZE]; /* "": none */
	gint64 until;                  /* CLOCK_BOOTTIME, microseconds */
};

/*
 * Times of day in microseconds since 1970, 0: never.  Three of them have room
 * in a page of the file, which is a third less for each than two.
 */
struct hostrecord {
	gint64 seen; /* last time that anything was noted; see sweep.h */
	struct health health;
	struct suspicion suspicion;
	struct capacity capacity;
	gint64 outage;      /* how long it was down last, microseconds */
	gboolean drained;   /* by command */
	gboolean stranger;  /* only DNS has named it: USEDNS */
	guint64 deliveries; /* recipients */
	guint64 deferrals;
	guint64 bounces;
	guint64 connections;
	guint32 failures[HOSTRECORD_STAGES]; /* of the host, by enum stage */
	gint64 last_success;
	gint64 last_failure;
	char last_error[HOSTRECORD_ERROR_MAX]; /* of last_failure */
	struct latency connect;                /* of successful connections */
	struct latency total; /* of sessions that came to an answer */
	struct bad_address bad[HOSTRECORD_ADDRESSES];
	struct hourly hourly; /* of the counters */
	gint64 tls_hung; /* until then (CLOCK_BOOTTIME) it gets no TLS that may
			  * be done without, since its handshake hung */
};

/* Its key in the state file, a new string. */
char *
hostrecord_key(const char *name, guint16 port);

/* TRUE: @key is a host's; *ret_name is a new string. */
gboolean
hostrecord_parse_key(const char *key, char **ret_name, guint16 *ret_port);

/* What all keys of hosts begin with. */
#define HOSTRECORD_PREFIX "host "

/* @value: from the state file, NULL: all zero. */
void
hostrecord_load(struct hostrecord *record, const void *value);

/*
 * Did this address fail a moment ago, while others of its host did not?
 * @now: health_now(); @max: the longest that a host is down.
 */
gboolean
hostrecord_is_bad(const struct bad_address bad[HOSTRECORD_ADDRESSES],
    const struct endpoint *endpoint, gint64 now, gint64 max);

/* Has a handshake hung lately?  @until: its tls_hung. */
gboolean
hostrecord_tls_hangs(gint64 until, gint64 now, gint64 max);

void
latency_add(struct latency *latency, gint64 span);

#endif
