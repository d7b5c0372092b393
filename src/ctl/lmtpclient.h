/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The LMTP client: what Postfix's lmtp(8) and spawn(8) have to be told so that
 * smtproute has its time.
 */
#ifndef SMTPROUTE_CTL_LMTPCLIENT_H
#define SMTPROUTE_CTL_LMTPCLIENT_H

#include <glib.h>

#include "conf/settings.h"

/* Parameters of main.cf. */
#define LMTPCLIENT_DONE     "lmtp_data_done_timeout"
#define LMTPCLIENT_XFORWARD "lmtp_send_xforward_command"
#define LMTPCLIENT_AT_ONCE  "lmtp_destination_concurrency_limit"

/* For how long spawn(8) is to let a process live; and seconds, at the least. */
#define LMTPCLIENT_LIFE     "1d"
#define LMTPCLIENT_LIFE_MIN 3600

/* What a delivery takes at the most (DISPATCH_SPAN), in seconds. */
#define LMTPCLIENT_SPAN 570

/* For the replies to come, beyond that, in seconds. */
#define LMTPCLIENT_SPARE 30

/* What a delivery takes with these settings. */
guint64
lmtpclient_span(const struct settings *settings);

/* Is it a time of Postfix's, of less than @seconds? */
gboolean
lmtpclient_is_short(const char *time, guint64 seconds);

#endif
