/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replies to EHLO: what libESMTP is told instead is a reply that offers what it
 * is to use of it, and nothing else, whatever the host wrote.
 */
#include <config.h>

#include "fuzz/fuzz.h"
#include "smtp/offer.h"

static struct reply *
read_reply(const void *data, gsize size)
{
	g_autoptr(ReplyReader) reader = reply_reader_new();

	reply_reader_add(reader, data, size);
	return reply_reader_take(reader, NULL);
}

static void
check_format(const struct offer *offer, guint mechanisms, gboolean secured)
{
	g_autofree char *text = offer_format(offer, mechanisms, secured);
	g_autoptr(Reply) reply = read_reply(text, strlen(text));
	struct offer again;

	g_assert_nonnull(reply);
	g_assert_cmpint(reply->code, ==, 250);
	again = offer_parse(reply, NULL);
	g_assert_cmpint(again.pipelining, ==, offer->pipelining);
	g_assert_cmpuint(again.mechanisms, ==, mechanisms);
	g_assert_false(again.eightbitmime || again.size || again.starttls ||
	    again.dsn || again.smtputf8);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(Reply) reply = read_reply(data, size);
	struct offer offer;

	if (reply == NULL)
		return 0;
	offer = offer_parse(reply, NULL);
	g_assert_nonnull(memchr(offer.auth, '\0', sizeof(offer.auth)));
	g_assert_cmpuint(offer.mechanisms &
		~(MECHANISMS_PASSWORD | MECHANISMS_TOKEN),
	    ==, 0);
	g_assert_true(offer.size || offer.size_limit == 0);
	check_format(&offer, offer.mechanisms & MECHANISMS_PASSWORD, FALSE);
	check_format(&offer, offer.mechanisms & MECHANISMS_PASSWORD, TRUE);
	return 0;
}
