/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <glob.h>
#include <sys/stat.h>

#include "ctl/ctl.h"
#include "ctl/postconf.h"
#include "ctl/trace/whereabouts.h"

/* A queue may be divided into folders (hash_queue_depth). */
static const char *const depths[] = {"", "?/", "?/?/", "?/?/?/"};

/* FALSE: there is no such file. */
static gboolean
find_file(const char *folder, const char *queue, const char *id,
    struct stat *ret)
{
	for (gsize i = 0; i < G_N_ELEMENTS(depths); i++) {
		g_autofree char *pattern =
		    g_strdup_printf("%s/%s/%s%s", folder, queue, depths[i], id);
		glob_t found = {0};
		gboolean is;

		if (glob(pattern, 0, NULL, &found) != 0)
			continue;
		is = stat(found.gl_pathv[0], ret) == 0;
		globfree(&found);
		if (is)
			return TRUE;
	}
	return FALSE;
}

const char *
whereabouts_find(const char *id, gint64 *ret_next)
{
	static const char *const queues[] = {"deferred", "active", "incoming",
	    "hold", "maildrop", "corrupt"};
	g_autofree char *folder = NULL;
	struct stat st;

	*ret_next = 0;
	if (ctl_has_postfix())
		folder = postconf_value(NULL, "queue_directory", TRUE, NULL);
	for (gsize i = 0; folder != NULL && i < G_N_ELEMENTS(queues); i++) {
		if (!find_file(folder, queues[i], id, &st))
			continue;
		/* qmgr_message.c: the time of a file is that to try it at. */
		if (i == 0)
			*ret_next = st.st_mtime;
		return queues[i];
	}
	return NULL;
}
