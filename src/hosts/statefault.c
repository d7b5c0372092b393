/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <lmdb.h>

#include "hosts/statefault.h"

#define MEMORY_SIZE (16 * 1024 * 1024)

const char *
statefault_text(int code)
{
	switch (code) {
	case STATEFAULT_CRASHED:
		return "damaged";
	case STATEFAULT_OTHER_LAYOUT:
		return "of another version";
	case STATEFAULT_UNSAFE:
		return "owned or writable by others";
	case MDB_MAP_FULL:
		return "full";
	case EWOULDBLOCK:
		return "locked by another process";
	default:
		return code < 0 ? "damaged" : g_strerror(code);
	}
}

/* Is it this process that may have no large files, or no more memory? */
static gboolean
is_limited(gsize size)
{
	struct rlimit limit = {0};
	g_autofree char *heap = g_try_malloc(MEMORY_SIZE);
	void *map =
	    mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (heap == NULL || map == MAP_FAILED)
		return TRUE;
	munmap(map, size);
	return getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur < size;
}

gboolean
statefault_is_damage(int code, gsize size)
{
	/* What the system says of sizes and places that make no sense. */
	gboolean odd = code == EINVAL || code == EFBIG || code == ENOMEM;

	return code < 0 || (odd && !is_limited(size));
}
