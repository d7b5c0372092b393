/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <unistd.h>

#include "util/pour.h"

gboolean
pour(int fd, const void *data, gsize length)
{
	const char *at = data;

	while (length > 0) {
		gssize written = write(fd, at, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return FALSE;
		at += written;
		length -= (gsize)written;
	}
	return TRUE;
}
