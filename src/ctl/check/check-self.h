/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where this Postfix takes mail by SMTP itself: a route that leads there has
 * the mail go round in a circle.
 */
#ifndef SMTPROUTE_CTL_CHECK_SELF_H
#define SMTPROUTE_CTL_CHECK_SELF_H

#include "address/endpoint.h"
#include "ctl/check/check.h"

struct ownsmtp;

/* Nowhere, without Postfix's services.  @check must outlive it. */
struct ownsmtp *
ownsmtp_new(const struct check *check);

/* Has any of its services this port, at whatever address? */
gboolean
ownsmtp_has_port(const struct ownsmtp *own, guint16 port);

/* The service that listens there, "master.cf: name/type"; NULL: none. */
const char *
ownsmtp_find(const struct ownsmtp *own, const struct endpoint *endpoint);

void
ownsmtp_free(struct ownsmtp *own);

#endif
