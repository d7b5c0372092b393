/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <glib.h>

#include "util/decimal.h"

static void
test_numbers(void)
{
	static const guint64 numbers[] = {0, 1, 9, 10, 25, 100, 65535,
	    G_MAXUINT32, G_MAXUINT64 - 1, G_MAXUINT64};

	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
		g_autofree char *expected =
		    g_strdup_printf("%" G_GUINT64_FORMAT, numbers[i]);
		char text[DECIMAL_SIZE];

		g_assert_cmpstr(decimal(numbers[i], text), ==, expected);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/decimal/numbers", test_numbers);
	return g_test_run();
}
