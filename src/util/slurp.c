/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "util/autofd.h"
#include "util/slurp.h"

#define MEGABYTE (1024 * 1024)

/* What is wrong with the file, NULL if nothing is. */
static char *
fault(int fd, gsize max, gsize *ret_size)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return g_strdup(g_strerror(errno));
	if (!S_ISREG(st.st_mode))
		return g_strdup(S_ISDIR(st.st_mode) ? g_strerror(EISDIR)
						    : "not a regular file");
	if ((guint64)st.st_size > max)
		return g_strdup_printf("larger than %" G_GSIZE_FORMAT " MiB",
		    max / MEGABYTE);
	*ret_size = (gsize)st.st_size;
	return NULL;
}

char *
slurp(const char *path, gsize max, char **ret_text, gsize *ret_length)
{
	/* O_NONBLOCK: a FIFO must not keep us. */
	autofd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	g_autofree char *text = NULL;
	gsize size = 0;
	gsize length = 0;
	char *reason = fault(fd, max, &size);

	if (reason != NULL)
		return reason;
	text = g_try_malloc(size + 1);
	if (text == NULL)
		return g_strdup(g_strerror(ENOMEM));
	while (length < size) {
		gssize count = read(fd, text + length, size - length);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return g_strdup(g_strerror(errno));
		if (count == 0)
			break;
		length += (gsize)count;
	}
	text[length] = '\0';
	*ret_text = g_steal_pointer(&text);
	*ret_length = length;
	return NULL;
}
