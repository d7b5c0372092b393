/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "ctl/check/check.h"

void
check_begin(struct check *check, const char *conf)
{
	*check = (struct check){.conf = conf, .tables = tables_new()};
	check->said =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	check->groups =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	check->keys =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	check->rates =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	check->profiles =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

gboolean
check_knows(const struct check *check, const char *key)
{
	for (guint i = 0; i < check->faults->len; i++) {
		const struct settings_fault *fault = check->faults->pdata[i];

		if (g_strcmp0(fault->key, key) == 0)
			return FALSE;
	}
	return check->settings != NULL;
}

void
check_end(struct check *check)
{
	g_hash_table_destroy(check->said);
	g_hash_table_destroy(check->keys);
	g_hash_table_destroy(check->rates);
	g_hash_table_destroy(check->profiles);
	g_hash_table_destroy(check->groups);
	g_free(check->dane);
	tables_free(check->tables);
	g_clear_pointer(&check->map, g_bytes_unref);
	g_clear_pointer(&check->keyfile, keyfile_free);
	g_clear_pointer(&check->agent, agent_free);
	g_clear_pointer(&check->services, g_ptr_array_unref);
	g_clear_pointer(&check->settings, settings_free);
}
