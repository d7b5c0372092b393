/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "conf/tlslevel.h"

static const char *const names[] = {
    [TLS_UNSET] = "unset",
    [TLS_NONE] = "none",
    [TLS_MAY] = "may",
    [TLS_ENCRYPT] = "encrypt",
    [TLS_SECURE] = "secure",
    [TLS_DANE] = "dane",
    [TLS_WRAPPER] = "wrapper",
};

gboolean
tls_level_parse(const char *name, enum tls_level *ret)
{
	for (guint level = TLS_NONE; level < G_N_ELEMENTS(names); level++) {
		if (strcmp(name, names[level]) == 0) {
			*ret = (enum tls_level)level;
			return TRUE;
		}
	}
	return FALSE;
}

const char *
tls_level_name(enum tls_level level)
{
	return names[level];
}
