/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This machine's full name, remembered by all deliveries: where DNS is dead,
 * or nobody knows the name, not each of them waits for an answer.
 */
#ifndef SMTPROUTE_OWNNAME_H
#define SMTPROUTE_OWNNAME_H

#include <glib.h>

#include "dns/resolver.h"

/* How long what was found, or not, is believed. */
#define OWNNAME_SPAN (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)

/*
 * As resolve_own_name() has it.  A name that has to be looked up is remembered
 * in a file of its own in @directory, with the host name that it was found
 * for; if that cannot be read or written it is looked up each time.  Returns a
 * new string.
 */
char *
ownname_get(const char *directory, struct resolver *resolver, gint64 deadline);

#endif
