/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This machine, as a mail exchanger: who would deliver to it would deliver to
 * himself (RFC 5321 section 5.1).
 */
#ifndef SMTPROUTE_SELF_H
#define SMTPROUTE_SELF_H

#include <glib.h>

#include "address/endpoint.h"
#include "conf/settings.h"

struct self;

/*
 * Its names: helo-name in @settings and the system's own, and localhost.  Its
 * addresses: those of the interfaces, and own-addresses, helo-name if it is
 * one.  All are read at the first question, which most routes do not lead to.
 * @settings must outlive it.
 */
struct self *
self_new(const struct settings *settings);

/* One more name, in canonical form, which must outlive the questions. */
void
self_set_name(struct self *self, const char *name);

/* @name is in canonical form. */
gboolean
self_has_name(struct self *self, const char *name);

/*
 * Whatever the port.  All of 127/8, ::1, 0.0.0.0 and :: are this machine, too,
 * and an IPv4 address mapped into IPv6 is what it is without that.
 */
gboolean
self_has_address(struct self *self, const struct endpoint *endpoint);

void
self_free(struct self *self);

/* For g_autoptr(), which wants one word. */
typedef struct self Self;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Self, self_free)

#endif
