/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads the libraries that smtproute loads, and ends: the floor for its CPU
 * time.  One call of each keeps the linker from dropping it.
 */
#include <config.h>

#include <ares.h>
#include <glib.h>
#include <libesmtp.h>

int
main(void)
{
	char version[32];

	if (!smtp_version(version, sizeof(version), 0))
		return 1;
	if (ares_version(NULL) == NULL)
		return 1;
	return g_get_monotonic_time() > 0 ? 0 : 1;
}
