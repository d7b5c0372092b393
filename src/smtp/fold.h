/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long lines, folded for a host that does not take them.
 */
#ifndef SMTPROUTE_FOLD_H
#define SMTPROUTE_FOLD_H

#include <glib.h>

#include "smtp/message.h"

/*
 * A new message, with CRLF and a blank put into the lines of @message that
 * have more than @limit octets (without their end, dots undoubled), as Postfix
 * does for smtp_line_length_limit; no line is longer then.  Lines of no more
 * are not touched.  @limit is 2 at least: a blank, and a byte behind it.  NULL
 * with MESSAGE_ERROR.
 */
struct message *
fold_message(struct message *message, guint limit, const char *spool_directory,
    GError **error);

/* Has @message a line that long?  FALSE as well if that cannot be told. */
gboolean
fold_is_needed(struct message *message, guint limit);

#endif
