/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "offer.h"

/*
 * SIZE's parameter (RFC 1870 section 4): a number, 0 or none for no limit.
 * What is not a number is no limit either.
 */
static guint64
parse_size(const char *parameter)
{
	g_autofree char *number = g_strstrip(g_strdup(parameter));
	guint64 size = 0;

	g_ascii_string_to_unsigned(number, 10, 0, G_MAXUINT64, &size, NULL);
	return size;
}

struct offer
offer_parse(const struct reply *reply)
{
	struct offer offer = {0};

	for (guint i = 1; i < reply->lines->len; i++) {
		const char *line = g_ptr_array_index(reply->lines, i);
		gsize length = strcspn(line, " \t");
		g_autofree char *keyword = g_ascii_strup(line, length);

		if (g_str_equal(keyword, "8BITMIME")) {
			offer.eightbitmime = TRUE;
		} else if (g_str_equal(keyword, "PIPELINING")) {
			offer.pipelining = TRUE;
		} else if (g_str_equal(keyword, "SIZE")) {
			offer.size = TRUE;
			offer.size_limit = parse_size(line + length);
		}
	}
	return offer;
}

char *
offer_format(const struct offer *offer)
{
	/* libESMTP takes no keyword from the first line. */
	return g_strconcat("250--\r\n",
	    offer->eightbitmime ? "250-8BITMIME\r\n" : "",
	    offer->pipelining ? "250-PIPELINING\r\n" : "",
	    offer->size ? "250-SIZE\r\n" : "", "250 -\r\n", NULL);
}
