/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address/domain.h"
#include "agent/ownname.h"
#include "dns/resolve.h"
#include "util/slurp.h"

#define FILE_NAME "own-name"

/* Two names, each with its line end. */
#define FILE_MAX (2 * (HOST_NAME_MAX + 1) + 512)

/* NULL: it has a dot, so that there is nothing to look up. */
static char *
short_name(void)
{
	char name[HOST_NAME_MAX + 1] = "";

	if (gethostname(name, sizeof(name)) < 0 || strchr(name, '.') != NULL)
		return NULL;
	return domain_canonical(name, NULL);
}

static gboolean
is_fresh(const char *path)
{
	struct stat status;
	gint64 age;

	if (lstat(path, &status) < 0 || !S_ISREG(status.st_mode) ||
	    status.st_uid != geteuid())
		return FALSE;
	age = g_get_real_time() - status.st_mtime * G_USEC_PER_SEC;
	return age >= 0 && age < OWNNAME_SPAN;
}

/* NULL: not, or for another host name. */
static char *
recall(const char *path, const char *name)
{
	g_autofree char *text = NULL;
	g_autofree char *trouble = NULL;
	g_auto(GStrv) lines = NULL;
	gsize length;

	if (!is_fresh(path))
		return NULL;
	trouble = slurp(path, FILE_MAX, &text, &length);
	if (trouble != NULL)
		return NULL;
	lines = g_strsplit(text, "\n", -1);
	if (g_strv_length(lines) != 3 || strcmp(lines[0], name) != 0)
		return NULL;
	return domain_canonical(lines[1], NULL);
}

char *
ownname_get(const char *directory, struct resolver *resolver, gint64 deadline)
{
	g_autofree char *name = short_name();
	g_autofree char *path = NULL;
	g_autofree char *text = NULL;
	char *own;

	if (name == NULL)
		return resolve_own_name(resolver, deadline);
	path = g_build_filename(directory, FILE_NAME, NULL);
	own = recall(path, name);
	if (own != NULL)
		return own;
	own = resolve_own_name(resolver, deadline);
	text = g_strdup_printf("%s\n%s\n", name, own);
	/* Atomic; without it the next one asks again. */
	g_file_set_contents(path, text, -1, NULL);
	return own;
}
