/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "unit/table.h"
#include "util/rate.h"

/* @written: as rates_text() has it. */
struct accepted {
	const char *says;
	const char *text;
	const char *written;
};

/* @at: the offset of what is at fault. */
struct refused {
	const char *says;
	const char *text;
	gsize at;
};

static const struct accepted accepted[] = {
    {"one", "30:1m", "30:1m"},
    {"none", "none", "none"},
    {"the smallest", "1:1s", "1:1s"},
    {"the greatest", "1000000000:31d", "1000000000:31d"},
    {"several, in the order written", "10000:1d,30:1m", "10000:1d, 30:1m"},
    {"blanks between them", " 30:1m ,\t10000:1d ", "30:1m, 10000:1d"},
    {"four", "1:1s, 2:1m, 3:1h, 4:1d", "1:1s, 2:1m, 3:1h, 4:1d"},
    {"whole units are written", "5:3600s, 7:48h", "5:1h, 7:2d"},
    {"others are left", "5:90s, 7:36h", "5:90s, 7:36h"},
};

static const struct refused refused[] = {
    {"nothing", "", 0},
    {"blanks", " ", 1},
    {"none and more", "none, 1:1s", 0},
    {"more and none", "1:1s, none", 6},
    {"a count of 0", "0:1m", 0},
    {"a count beyond all", "1000000001:1m", 0},
    {"a negative count", "-1:1m", 0},
    {"a signed count", "+1:1m", 0},
    {"no count", ":1m", 0},
    {"no colon", "30", 0},
    {"no span", "30:", 0},
    {"a span of 0", "30:0m", 0},
    {"a span without a unit", "30:60", 0},
    {"a unit alone", "30:m", 0},
    {"an unknown unit", "30:1w", 0},
    {"a unit in capitals", "30:1M", 0},
    {"blanks within", "30 :1m", 0},
    {"too long a span", "30:32d", 0},
    {"too long a span in seconds", "30:2678401s", 0},
    {"a comma at the end", "30:1m,", 6},
    {"two commas", "30:1m,,1:1s", 6},
    {"a span twice", "30:1m, 20:1m", 7},
    {"a span twice, in other units", "30:1m, 20:60s", 7},
    {"five", "1:1s,1:2s,1:3s,1:4s,1:5s", 20},
    {"a slash", "30/1m", 0},
};

static void
test_accepted(gconstpointer data)
{
	const struct accepted *row = data;
	struct rates rates = {0};
	g_autofree char *written = NULL;
	gsize at;

	g_assert_true(rates_parse(row->text, ',', &rates, &at));
	g_assert_true(rates.set);
	written = rates_text(&rates, ", ");
	g_assert_cmpstr(written, ==, row->written);
}

static void
test_refused(gconstpointer data)
{
	const struct refused *row = data;
	struct rates rates = {0};
	gsize at = 99;

	g_assert_false(rates_parse(row->text, ',', &rates, &at));
	g_assert_false(rates.set);
	g_assert_cmpuint(at, ==, row->at);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("rate/accepted", accepted, test_accepted);
	TABLE_ADD("rate/refused", refused, test_refused);
	return g_test_run();
}
