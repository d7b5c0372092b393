/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "unit/replytext.h"

struct reply *
replytext_parse(const char *line)
{
	g_autoptr(ReplyReader) reader = reply_reader_new();
	g_autoptr(GError) error = NULL;
	struct reply *reply;

	reply_reader_add(reader, line, strlen(line));
	reply_reader_add(reader, "\r\n", 2);
	reply = reply_reader_take(reader, &error);
	g_assert_no_error(error);
	g_assert_nonnull(reply);
	return reply;
}
