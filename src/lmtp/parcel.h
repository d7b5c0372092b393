/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A parcel: one message of an LMTP client, from whom and to whom, and along
 * which routes.
 */
#ifndef SMTPROUTE_PARCEL_H
#define SMTPROUTE_PARCEL_H

#include <glib.h>

#include "address/mailbox.h"
#include "agent/station.h"
#include "agent/verdict.h"
#include "lmtp/request.h"
#include "route/route.h"

/*
 * RFC 5321 section 4.5.3.1.8 asks for 100; Postfix sends 50 at once unless
 * told to send more.
 */
#define PARCEL_RECIPIENTS_MAX 5000

struct parcel {
	struct mailbox *sender;
	GPtrArray *recipients; /* of struct mailbox */
	GPtrArray *routes;     /* of struct route, each recipient's */
	GPtrArray *ways;       /* of struct way: all routes that there are */
	GHashTable *known;     /* domain -> its way, one of these */
	gint64 dns_span;       /* of outlook_is_good() */
	gboolean smtputf8;     /* as MAIL says */
	guint inquiries;       /* so far */
};

/* NULL: *verdict says why. */
struct parcel *
parcel_new(const struct lmtp_request *mail, struct verdict *verdict);

/*
 * Adds a recipient, if there is a route for it, and a delivery may come to
 * something.  FALSE: *verdict says why not.
 */
gboolean
parcel_add(struct parcel *parcel, struct station *station,
    const struct lmtp_request *rcpt, struct verdict *verdict);

/*
 * What a host says of the recipient that was added last, if its route is one
 * whose hosts are to be asked (inquiry.h): *verdict.  FALSE: it is not, or so
 * many of the parcel were asked for that nobody knows what it is for.  A
 * recipient that is not welcome is taken out again.
 */
gboolean
parcel_inquire(struct parcel *parcel, struct station *station,
    struct verdict *verdict);

void
parcel_free(struct parcel *parcel);

#endif
