/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "ctl/lmtpclient.h"
#include "ctl/postconf.h"

guint64
lmtpclient_span(const struct settings *settings)
{
	guint64 limit = (guint64)(settings->time_limit / G_TIME_SPAN_SECOND);

	return MIN(limit, LMTPCLIENT_SPAN);
}

gboolean
lmtpclient_is_short(const char *time, guint64 seconds)
{
	guint64 granted;

	return postconf_seconds(time, &granted) && granted < seconds;
}
