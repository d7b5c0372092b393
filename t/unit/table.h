/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables as tests: a row is a struct whose member says, a sentence, is the
 * test's name.
 */
#ifndef SMTPROUTE_TABLE_H
#define SMTPROUTE_TABLE_H

#include <glib.h>

static inline void
table_add_row(const char *table, const char *says, gconstpointer row,
    GTestDataFunc function)
{
	g_autofree char *path = g_strdup_printf("/%s/%s", table, says);

	g_test_add_data_func(path, row, function);
}

/* @function is called with each row of the array @rows. */
#define TABLE_ADD(table, rows, function)                                       \
	do {                                                                   \
		for (gsize row_ = 0; row_ < G_N_ELEMENTS(rows); row_++)        \
			table_add_row(table, (rows)[row_].says, &(rows)[row_], \
			    function);                                         \
	} while (0)

#endif
