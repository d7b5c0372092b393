/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <unistd.h>

#include "agent/safety.h"
#include "route/maplmdb.h"
#include "util/maillog.h"
#include "util/trust.h"

char *
safety_fault(const struct settings *settings)
{
	gboolean credentials = g_hash_table_size(settings->profiles) > 0;
	g_autofree char *map = maplmdb_is(settings->routes)
	    ? maplmdb_file(settings->routes)
	    : g_strdup(settings->routes);
	const char *const paths[] = {settings->path, map};

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autofree char *fault = trust_fault(paths[i], geteuid());

		if (fault == NULL)
			continue;
		if (credentials)
			return g_strdup_printf("not safe for credentials: %s",
			    fault);
		maillog_warning("not safe: %s", fault);
	}
	return NULL;
}
