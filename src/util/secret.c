/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/autofd.h"
#include "util/secret.h"

/* What others may not do with a file, and its group neither. */
#define OTHERS_MASK  (S_IRWXO | S_IWGRP)
#define WRITERS_MASK (S_IWOTH | S_IWGRP)

/* As deep as libESMTP goes, and some. */
#define STACK_SPAN 32768

/*
 * Chunks of up to CACHED_MAX bytes stay in glibc's cache of a thread as they
 * were freed, CACHED_COUNT at most of each size; sizes differ by CACHED_STEP.
 */
#define CACHED_MIN   24
#define CACHED_MAX   1032
#define CACHED_STEP  16
#define CACHED_COUNT 7

G_DEFINE_QUARK(smtproute_secret_error, secret_error)

char *
secret_new(const char *text, gsize length)
{
	return g_strndup(text, length);
}

void
secret_free(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	g_free(secret);
}

static gboolean
fail_errno(const char *path, GError **error)
{
	g_set_error(error, SECRET_ERROR, SECRET_ERROR_FILE, "%s: %s", path,
	    g_strerror(errno));
	return FALSE;
}

static gboolean
refuse(const char *path, const char *what, GError **error)
{
	g_set_error(error, SECRET_ERROR, SECRET_ERROR_CONTENT, "%s: %s", path,
	    what);
	return FALSE;
}

static gboolean
is_private(const struct stat *st, enum secret_modes modes)
{
	if (modes == SECRET_SHARED)
		return (st->st_mode & WRITERS_MASK) == 0;
	return (st->st_mode & OTHERS_MASK) == 0 &&
	    ((st->st_mode & S_IRGRP) == 0 || st->st_gid == getegid());
}

static gboolean
check_owner(const char *path, const struct stat *st, enum secret_modes modes,
    GError **error)
{
	guint mode = st->st_mode & 07777;

	if (!S_ISREG(st->st_mode))
		return refuse(path, "not a file", error);
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		g_set_error(error, SECRET_ERROR, SECRET_ERROR_UNSAFE,
		    "%s: owned by user %u; expected root or user %u", path,
		    (guint)st->st_uid, (guint)geteuid());
		return FALSE;
	}
	if (!is_private(st, modes)) {
		g_set_error(error, SECRET_ERROR, SECRET_ERROR_UNSAFE,
		    "%s: mode %04o and group %u let others have it; expected "
		    "0600, or 0640 and group %u",
		    path, mode, (guint)st->st_gid, (guint)getegid());
		return FALSE;
	}
	return TRUE;
}

int
secret_open(const char *path, enum secret_modes modes, GError **error)
{
	autofd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		fail_errno(path, error);
		return -1;
	}
	return check_owner(path, &st, modes, error) ? autofd_steal(&fd) : -1;
}

gboolean
secret_check(const char *path, enum secret_modes modes, GError **error)
{
	autofd fd = secret_open(path, modes, error);

	return fd >= 0;
}

/* As much as there is of @size bytes; -1: errno says why. */
static gssize
read_all(int fd, char *buffer, gsize size)
{
	gsize length = 0;
	gssize n;

	do {
		n = read(fd, buffer + length, size - length);
		if (n > 0)
			length += (gsize)n;
	} while (length < size && (n > 0 || (n < 0 && errno == EINTR)));
	return n < 0 ? -1 : (gssize)length;
}

static gboolean
check_content(const char *path, const char *text, gsize length, gsize max,
    GError **error)
{
	g_autofree char *what = NULL;

	if (length == 0)
		return refuse(path, "empty", error);
	if (memchr(text, '\0', length) != NULL)
		return refuse(path, "NUL byte", error);
	if (length > max) {
		what = g_strdup_printf("longer than %" G_GSIZE_FORMAT " bytes",
		    max);
		return refuse(path, what, error);
	}
	if (memchr(text, '\n', length) != NULL)
		return refuse(path, "more than one line", error);
	return TRUE;
}

char *
secret_read(const char *path, gsize max, enum secret_modes modes,
    GError **error)
{
	/* Its end may be CR LF; a byte more shows that it is too long. */
	gsize size = max + 3;
	autofd fd = secret_open(path, modes, error);
	g_autofree char *buffer = NULL;
	char *secret = NULL;
	gssize n;
	gsize length;

	if (fd < 0)
		return NULL;
	buffer = g_malloc0(size);
	n = read_all(fd, buffer, size);
	if (n < 0) {
		fail_errno(path, error);
		explicit_bzero(buffer, size);
		return NULL;
	}
	length = (gsize)n;
	if (length > 0 && buffer[length - 1] == '\n')
		length--;
	if (length > 0 && buffer[length - 1] == '\r')
		length--;
	if (check_content(path, buffer, length, max, error))
		secret = secret_new(buffer, length);
	explicit_bzero(buffer, size);
	return secret;
}

void
secret_protect(void)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* What is freed from now on is overwritten, but for small chunks. */
#ifdef M_PERTURB
	mallopt(M_PERTURB, 1);
#endif
}

static void
sweep_stack(void)
{
	char unused[STACK_SPAN];

	explicit_bzero(unused, sizeof(unused));
}

static void
sweep_cache(void)
{
	void *chunks[CACHED_COUNT];

	for (gsize size = CACHED_MIN; size <= CACHED_MAX; size += CACHED_STEP) {
		for (int i = 0; i < CACHED_COUNT; i++) {
			chunks[i] = g_try_malloc(size);
			if (chunks[i] != NULL)
				explicit_bzero(chunks[i], size);
		}
		for (int i = 0; i < CACHED_COUNT; i++)
			g_free(chunks[i]);
	}
}

void
secret_sweep(void)
{
	sweep_cache();
	sweep_stack();
}
