/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From whom, and to whom, one call delivers.
 */
#ifndef SMTPROUTE_ENVELOPE_H
#define SMTPROUTE_ENVELOPE_H

#include <glib.h>

#include "address/mailbox.h"

struct envelope {
	struct mailbox *sender;
	GPtrArray *recipients; /* of struct mailbox, at least one */
	gboolean smtputf8;     /* the host has to know SMTPUTF8 (RFC 6531) */
};

#endif
