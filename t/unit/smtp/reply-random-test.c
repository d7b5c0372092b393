/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "smtp/reply.h"
#include "unit/watched.h"

#define RANDOM_ROUNDS 200000

/* Likely enough to be replies, and as hostile as it gets. */
static void
append_random(GString *input, GRand *random)
{
	static const char *const pieces[] = {"250 ", "250-", "250", "250 ",
	    "250-", "550 ", "550-", "354 ", "421 ", "5.1.1 ", "5.1.1", "2.0.0 ",
	    "4.7.1", "4.7.1 ", "2.", ".", " ", "-", "\r", "\n", "\r\n", "\r\n",
	    "\r\n", "\r\n", "\t", "2", "5", "Ok", "no such user", "<a@b>",
	    "\303\274", "\377", "\r\n.\r\n", "999 ", "000-"};

	for (int left = g_rand_int_range(random, 0, 12); left > 0; left--)
		g_string_append(input,
		    pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
}

static void
append_valid(GString *input, GRand *random)
{
	static const char *const replies[] = {"220 mx1 ESMTP\r\n",
	    "250-mx1\r\n250-PIPELINING\r\n250 8BITMIME\r\n", "250 2.1.0 Ok\r\n",
	    "354 go\r\n", "550-5.1.1 no such\r\n550 5.1.1 user\r\n",
	    "250 2.0.0 Ok: queued as 4F1B\r\n", "421\r\n"};

	for (int left = g_rand_int_range(random, 1, 4); left > 0; left--)
		g_string_append(input,
		    replies[g_rand_int_range(random, 0,
			G_N_ELEMENTS(replies))]);
}

static void
mutate(GString *input, GRand *random)
{
	for (int left = g_rand_int_range(random, 0, 4);
	     left > 0 && input->len > 0; left--) {
		gint32 at = g_rand_int_range(random, 0, (gint32)input->len);
		char byte = (char)g_rand_int_range(random, 0, 256);

		switch (g_rand_int_range(random, 0, 4)) {
		case 0:
			input->str[at] = byte;
			break;
		case 1:
			g_string_insert_c(input, at, byte);
			break;
		case 2:
			g_string_erase(input, at, 1);
			break;
		default:
			g_string_truncate(input, (gsize)at);
		}
	}
}

/* As a server would send it. */
static GString *
render(const struct reply *reply)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < reply->lines->len; i++)
		g_string_append_printf(text, "%d%c%s\r\n", reply->code,
		    i + 1 < reply->lines->len ? '-' : ' ',
		    (const char *)g_ptr_array_index(reply->lines, i));
	return text;
}

static void
assert_sound(const struct reply *reply)
{
	g_autoptr(GString) text = render(reply);
	g_autoptr(ReplyReader) reader = reply_reader_new();
	g_autoptr(GString) again = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(Reply) parsed = NULL;
	char dsn[DSN_SIZE];

	g_assert_cmpint(reply->code, >=, 200);
	g_assert_cmpint(reply->code, <=, 599);
	g_assert_cmpuint(reply->lines->len, >, 0);
	for (guint i = 0; i < reply->lines->len; i++)
		g_assert_null(strchr(g_ptr_array_index(reply->lines, i), '\n'));
	if (reply->dsn[0] != '\0')
		g_assert_true(dsn_parse(reply->dsn,
		    (char)('0' + reply->code / 100), dsn));
	reply_reader_add(reader, text->str, text->len);
	parsed = reply_reader_take(reader, &error);
	g_assert_no_error(error);
	g_assert_nonnull(parsed);
	again = render(parsed);
	g_assert_cmpstr(again->str, ==, text->str);
	g_assert_cmpstr(parsed->dsn, ==, reply->dsn);
}

/* Takes all there is; FALSE: refused. */
static gboolean
take_all(struct reply_reader *reader, GString *taken, int *count)
{
	for (;;) {
		g_autoptr(GError) error = NULL;
		g_autoptr(Reply) reply = reply_reader_take(reader, &error);
		g_autoptr(GString) text = NULL;

		if (error != NULL)
			g_string_append(taken, error->message);
		if (reply == NULL)
			return error == NULL;
		assert_sound(reply);
		text = render(reply);
		g_string_append_printf(taken, "%s%s\r\n", text->str,
		    reply->dsn);
		(*count)++;
	}
}

/* All that comes of @input, fed in pieces of up to @most bytes. */
static char *
feed_randomly(const GString *input, GRand *random, int most, int *count)
{
	g_autoptr(ReplyReader) reader = reply_reader_new();
	g_autoptr(GString) taken = g_string_new(NULL);
	gboolean sound = TRUE;

	for (gsize i = 0; i < input->len && sound;) {
		gsize piece = (gsize)g_rand_int_range(random, 1, most + 1);

		piece = MIN(piece, input->len - i);
		reply_reader_add(reader, input->str + i, piece);
		sound = take_all(reader, taken, count);
		i += piece;
	}
	if (sound && reply_reader_pending(reader))
		g_string_append(taken, "unfinished");
	return g_string_free(g_steal_pointer(&taken), FALSE);
}

static void
test_random(void)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(5321);
	const int rounds = (int)watched_times(RANDOM_ROUNDS);
	int count = 0;

	for (int round = 0; round < rounds; round++) {
		g_autoptr(GString) input = g_string_new(NULL);
		g_autofree char *whole = NULL;
		g_autofree char *split = NULL;

		if (round % 2 == 0)
			append_random(input, random);
		else
			append_valid(input, random);
		mutate(input, random);
		whole = feed_randomly(input, random, 1, &count);
		split = feed_randomly(input, random, 40, &count);
		g_assert_cmpstr(split, ==, whole);
	}
	/* Or the pieces are too hostile to test anything. */
	g_assert_cmpint(count, >, rounds);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/random bytes are sound replies or refused",
	    test_random);
	return g_test_run();
}
