/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/figures.h"
#include "util/maillog.h"
#include "util/room.h"

static gboolean
may_write(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
}

/*
 * Who may read the state, but is not the agent, may not write what the agent
 * may: only what is nobody's fault but the log's is said.
 */
static gboolean
check_file(const char *path, gboolean agent)
{
	g_autofree char *folder = g_path_get_dirname(path);
	struct stat st;

	if (room_trouble(folder) != NULL)
		return FALSE;
	if (lstat(path, &st) < 0)
		return g_file_test(folder, G_FILE_TEST_IS_DIR) &&
		    (!agent || may_write(folder, W_OK | X_OK));
	/* As the agent takes it (maillog.c). */
	return (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode)) &&
	    (!agent || may_write(path, W_OK));
}

/* Postfix's own log is Postfix's to watch. */
static gboolean
check_log(const char *log, gboolean agent)
{
	if (log == NULL)
		return maillog_try_syslog() == 0;
	return strcmp(log, MAILLOG_POSTLOG) == 0 || check_file(log, agent);
}

struct figures *
figures_new(const struct settings *settings, const struct sight *sight,
    guint strangers)
{
	struct figures *figures = g_new0(struct figures, 1);

	figures->state = sight->usable;
	figures->map = sight->list->complete;
	figures->log = check_log(settings->log, sight->agent);
	figures->strangers = strangers;
	if (sight->error == NULL)
		figures->backlog =
		    backlog_read(settings->state_directory, NULL);
	return figures;
}

void
figures_free(struct figures *figures)
{
	g_clear_pointer(&figures->backlog, backlog_free);
	g_free(figures);
}
