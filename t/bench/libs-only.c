/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads the libraries that smtproute loads, and ends: the floor for its CPU
 * time.  One call of each keeps the linker from dropping it.
 */
#include <config.h>

#include <sys/types.h>

#include <arpa/nameser.h>

#include <ares.h>
#include <glib.h>
#include <libesmtp.h>
#include <lmdb.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>

int
main(void)
{
	char version[32];
	ns_msg message;

	if (OpenSSL_version_num() == 0 || TLS_client_method() == NULL)
		return 1;
	if (!smtp_version(version, sizeof(version), 0))
		return 1;
	if (ares_version(NULL) == NULL || mdb_version(NULL, NULL, NULL) == NULL)
		return 1;
	if (ns_initparse((const unsigned char *)version, 0, &message) == 0)
		return 1;
	return g_get_monotonic_time() > 0 ? 0 : 1;
}
