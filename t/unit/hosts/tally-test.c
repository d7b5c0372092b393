/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include "hosts/tally.h"
#include "unit/tallies.h"

static const struct rates none = {.set = TRUE};

static gint64
wait_of(const struct tally *tally, const char *transactions,
    const char *recipients, guint count, gboolean partial)
{
	const struct rates rates[] = {tallies_rates(transactions),
	    tallies_rates(recipients)};
	const struct tally_rates want =
	    tallies_want(&rates[0], &rates[1], count, partial);

	return tally_wait(tally, &want);
}

static void
claim(struct tally *tally, const char *transactions, const char *recipients,
    guint64 ticket, guint count)
{
	const struct rates rates[] = {tallies_rates(transactions),
	    tallies_rates(recipients)};
	const struct tally_rates want =
	    tallies_want(&rates[0], &rates[1], count, FALSE);

	tally_reserve(tally, &want, ticket, count);
	tally_begin(tally, &want, ticket, count);
}

static void
advance(struct tally *tally, gint64 boot, gint64 real)
{
	const struct tally_time now = {boot, real};

	tally_advance(tally, &now);
}

static void
test_wait(void)
{
	g_autoptr(Tally) tally = tally_new();

	advance(tally, 1000 * SECOND, 5000 * SECOND);
	g_assert_cmpint(wait_of(tally, "1:1m", "none", 9, FALSE), ==, 0);
	claim(tally, "1:1m", "9:1h", 1, 9);
	/* As if it were counted now. */
	g_assert_cmpint(wait_of(tally, "1:1m", "none", 1, FALSE), ==,
	    60 * SECOND);
	tally_give_back(tally, 1);
	g_assert_cmpint(wait_of(tally, "1:1m", "none", 1, FALSE), ==, 0);
	claim(tally, "1:1m", "9:1h", 2, 9);
	tally_count(tally, 2, 990 * SECOND);
	g_assert_cmpint(wait_of(tally, "1:1m", "none", 1, FALSE), ==,
	    51 * SECOND);
	g_assert_cmpint(wait_of(tally, "2:1m", "none", 1, FALSE), ==, 0);
	g_assert_cmpint(wait_of(tally, "none", "9:1h", 1, FALSE), >,
	    3500 * SECOND);
	advance(tally, 1051 * SECOND, 5051 * SECOND);
	g_assert_cmpint(wait_of(tally, "1:1m", "none", 1, FALSE), ==, 0);
	g_assert_cmpint(wait_of(tally, "1:1m", "9:1h", 1, FALSE), >,
	    3400 * SECOND);
}

/* Only as many as there is room for, or all of them or none. */
static void
test_recipients(void)
{
	const struct rates ten = tallies_rates("10:1m");
	const struct tally_rates want = tallies_want(&none, &ten, 8, TRUE);
	g_autoptr(Tally) tally = tally_new();

	advance(tally, 1000 * SECOND, 5000 * SECOND);
	g_assert_cmpint(wait_of(tally, "none", "10:1m", 11, FALSE), ==, -1);
	g_assert_cmpint(wait_of(tally, "none", "10:1m", 11, TRUE), ==, 0);
	claim(tally, "none", "10:1m", 1, 7);
	tally_count(tally, 1, 1000 * SECOND);
	g_assert_cmpint(wait_of(tally, "none", "10:1m", 4, FALSE), >, 0);
	g_assert_cmpint(wait_of(tally, "none", "10:1m", 4, TRUE), ==, 0);
	g_assert_cmpuint(tally_room(tally, &want, TALLY_RECIPIENTS), ==, 3);
	g_assert_cmpuint(tally_room(tally, &want, TALLY_TRANSACTIONS), ==,
	    G_MAXUINT);
}

/* Without a ticket it is counted at once; who has no rate counts, too. */
static void
test_others(void)
{
	g_autoptr(Tally) tally = tally_new();

	advance(tally, 1000 * SECOND, 5000 * SECOND);
	claim(tally, "2:1m", "none", 0, 1);
	g_assert_cmpuint(tally->claims->len, ==, 0);
	claim(tally, "none", "none", 7, 1);
	g_assert_cmpint(wait_of(tally, "2:1m", "none", 1, FALSE), >, 0);
	tally_count(tally, 7, 1000 * SECOND);
	g_assert_cmpuint(tally_used(tally, TALLY_TRANSACTIONS, 60 * SECOND), ==,
	    2);
	tally_count(tally, 7, 1000 * SECOND);
	tally_give_back(tally, 7);
	g_assert_cmpuint(tally_used(tally, TALLY_TRANSACTIONS, 60 * SECOND), ==,
	    2);
	g_assert_false(tally_is_spent(tally));
	advance(tally, 1062 * SECOND, 5062 * SECOND);
	g_assert_true(tally_is_spent(tally));
}

/*
 * Who takes a second to come to MAIL has a place so much before there is room,
 * and a bit; the claim has to wait.
 */
static void
test_lead(void)
{
	const struct rates rate = tallies_rates("2:1m");
	const struct tally_rates want = tallies_want(&rate, &none, 1, FALSE);
	g_autoptr(Tally) tally = tally_new();

	advance(tally, 1000 * SECOND, 5000 * SECOND);
	g_assert_cmpint(tally_lead(tally), ==, 0);
	claim(tally, "2:1m", "none", 0, 1);
	advance(tally, 1030 * SECOND, 5030 * SECOND);
	claim(tally, "2:1m", "none", 0, 1);
	tally_note_opening(tally, SECOND);
	tally = tallies_pass_on(g_steal_pointer(&tally));
	g_assert_cmpint(tally_lead(tally), ==, SECOND * 127 / 100);
	advance(tally, 1059 * SECOND, 5059 * SECOND);
	g_assert_cmpint(tally_wait(tally, &want), ==, SECOND * 73 / 100);
	advance(tally, 1060 * SECOND, 5060 * SECOND);
	g_assert_cmpint(tally_wait(tally, &want), ==, 0);
	tally_reserve(tally, &want, 5, 1);
	g_assert_cmpint(tally_wait(tally, &want), >, 20 * SECOND);
	g_assert_cmpint(tally_begin(tally, &want, 5, 1), ==, SECOND);
	g_assert_cmpuint(tally_used(tally, TALLY_TRANSACTIONS, 60 * SECOND), ==,
	    2);
	advance(tally, 1061 * SECOND, 5061 * SECOND);
	g_assert_cmpint(tally_begin(tally, &want, 5, 1), ==, 0);
	g_assert_cmpuint(tally->claims->len, ==, 1);
	g_assert_cmpuint(tally_used(tally, TALLY_TRANSACTIONS, 60 * SECOND), ==,
	    2);
}

/* A lead of several spans: so many more have a place, and no others. */
static void
test_long_lead(void)
{
	const struct rates rate = tallies_rates("5:1s");
	const struct tally_rates want = tallies_want(&rate, &none, 1, FALSE);
	g_autoptr(Tally) tally = tally_new();
	guint places = 0;

	advance(tally, 1000 * SECOND, 5000 * SECOND);
	tally_note_opening(tally, 2 * SECOND);
	while (places < 1000 && tally_wait(tally, &want) == 0)
		tally_reserve(tally, &want, ++places, 1);
	g_assert_cmpuint(places, ==, 15);
	for (guint i = 1; i <= 5; i++)
		g_assert_cmpint(tally_begin(tally, &want, i, 1), ==, 0);
	g_assert_cmpint(tally_begin(tally, &want, 6, 1), >, 0);
	g_assert_cmpint(tally_wait(tally, &want), >, 0);
	tally_give_back(tally, 15);
	g_assert_cmpint(tally_wait(tally, &want), ==, 0);
	g_assert_cmpuint(tally_room(tally, &want, TALLY_TRANSACTIONS), ==, 1);
}

/* One that hangs is not what others take; and nobody has a place for ever. */
static void
test_opening(void)
{
	g_autoptr(Tally) tally = tally_new();

	for (guint i = 0; i < 20; i++)
		tally_note_opening(tally, SECOND / 10);
	tally_note_opening(tally, 3 * SECOND);
	g_assert_cmpint(tally->opening, <, 2 * SECOND);
	for (guint i = 0; i < 40; i++)
		tally_note_opening(tally, SECOND / 10);
	g_assert_cmpint(tally->opening, <, SECOND / 9);
	for (guint i = 0; i < 40; i++)
		tally_note_opening(tally, 100 * SECOND);
	g_assert_cmpint(tally_lead(tally), ==, TALLY_LEAD_MAX);
}

/* How long it was off is told by the real time, if that went on. */
static void
test_restart(void)
{
	g_autoptr(Tally) tally = tally_new();

	advance(tally, 1000 * SECOND, 5000 * SECOND);
	claim(tally, "1:1h", "none", 0, 1);
	advance(tally, 5 * SECOND, 5600 * SECOND);
	g_assert_cmpint(wait_of(tally, "1:1h", "none", 1, FALSE), >,
	    2990 * SECOND);
	g_assert_cmpint(wait_of(tally, "1:1h", "none", 1, FALSE), <=,
	    3060 * SECOND);
	advance(tally, 4 * SECOND, 100 * SECOND);
	g_assert_cmpint(wait_of(tally, "1:1h", "none", 1, FALSE), >,
	    2980 * SECOND);
	/* The clock is set while it runs: nothing happens. */
	advance(tally, 5 * SECOND, 99999999 * SECOND);
	g_assert_cmpint(wait_of(tally, "1:1h", "none", 1, FALSE), >,
	    2980 * SECOND);
}

/* Three spans of usual rates, with all parts in use. */
static void
test_size(void)
{
	const struct rates three = tallies_rates("14:1s, 30:1m, 10000:1d");
	const struct tally_rates want = tallies_want(&three, &none, 1, FALSE);
	g_autoptr(Tally) tally = tally_new();
	g_autoptr(GByteArray) record = NULL;

	for (gint64 i = 0; i < 3000; i++) {
		advance(tally, i * SECOND * 30, i * SECOND * 30);
		g_assert_cmpint(tally_begin(tally, &want, 0, 1), ==, 0);
	}
	record = tally_write(tally);
	g_test_message("%u bytes", record->len);
	g_assert_cmpuint(record->len, <, 320);
}

/* Whatever a damaged record says, it ends. */
static void
test_damage(void)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(g_test_rand_int());
	g_autoptr(Tally) tally = tally_new();
	g_autoptr(GByteArray) record = NULL;

	advance(tally, 1000 * SECOND, 5000 * SECOND);
	claim(tally, "5:1s, 6:1m", "7:1d", 0, 3);
	claim(tally, "5:1s, 6:1m", "7:1d", 9, 1);
	record = tally_write(tally);
	for (guint i = 0; i < 20000; i++) {
		gsize size =
		    (gsize)g_rand_int_range(rand, 0, (gint32)record->len + 1);
		g_autofree guint8 *copy = g_memdup2(record->data, size);
		g_autoptr(Tally) read = NULL;

		for (guint j = 0; j < 4 && size > 0; j++)
			copy[g_rand_int_range(rand, 0, (gint32)size)] =
			    (guint8)g_rand_int(rand);
		read = tally_read(copy, size);
		advance(read, 2000 * SECOND, 6000 * SECOND);
		g_assert_cmpint(wait_of(read, "5:1s", "7:1d", 1, TRUE), <=,
		    2 * 86400 * SECOND);
		claim(read, "5:1s", "none", 0, 1);
	}
}

/* A clock that is far ahead is none, lest the host wait for ever. */
static void
test_wild_clock(void)
{
	static const gint64 clocks_set[] = {-1, G_MAXINT64 / 2, G_MAXINT64};

	for (guint i = 0; i < G_N_ELEMENTS(clocks_set); i++) {
		g_autoptr(Tally) tally = tally_new();

		advance(tally, 1000 * SECOND, 5000 * SECOND);
		claim(tally, "1:1h", "none", 0, 1);
		tally->clock = clocks_set[i];
		tally = tallies_pass_on(g_steal_pointer(&tally));
		advance(tally, 1000 * SECOND, 5000 * SECOND);
		g_assert_cmpint(wait_of(tally, "1:1h", "none", 1, FALSE), ==,
		    0);
		claim(tally, "1:1h", "none", 0, 1);
		tally = tallies_pass_on(g_steal_pointer(&tally));
		g_assert_cmpint(wait_of(tally, "1:1h", "none", 1, FALSE), >, 0);
	}
}

/* Routes that differ do not make the record grow for ever. */
static void
test_windows(void)
{
	g_autoptr(Tally) tally = tally_new();

	advance(tally, 1000 * SECOND, 5000 * SECOND);
	for (guint i = 1; i < 100; i++) {
		g_autofree char *text = g_strdup_printf("9:%us", i);

		claim(tally, text, "none", 0, 1);
	}
	g_assert_cmpuint(tally->windows->len, ==, TALLY_WINDOWS_MAX);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tally/wait", test_wait);
	g_test_add_func("/tally/recipients", test_recipients);
	g_test_add_func("/tally/others", test_others);
	g_test_add_func("/tally/lead", test_lead);
	g_test_add_func("/tally/long-lead", test_long_lead);
	g_test_add_func("/tally/opening", test_opening);
	g_test_add_func("/tally/restart", test_restart);
	g_test_add_func("/tally/size", test_size);
	g_test_add_func("/tally/damage", test_damage);
	g_test_add_func("/tally/wild-clock", test_wild_clock);
	g_test_add_func("/tally/windows", test_windows);
	return g_test_run();
}
