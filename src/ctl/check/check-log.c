/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A log that goes nowhere is found out when it is needed, unless here.
 */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/check/access.h"
#include "ctl/check/check-log.h"
#include "ctl/postconf.h"
#include "util/maillog.h"
#include "util/postlog.h"
#include "util/room.h"

#define LOSS "without which there is no log"

static void
warn(struct check *check, const char *where, const char *what)
{
	finding(&check->findings, SEVERITY_WARNING, where, "%s", what);
}

static void
check_syslog(struct check *check)
{
	int error = maillog_try_syslog();

	if (error != 0)
		finding(&check->findings, SEVERITY_WARNING, check->conf,
		    "the log is syslog, but " MAILLOG_SYSLOG
		    ": %s; expected a syslog daemon, or log = postlog, " LOSS,
		    g_strerror(error));
}

/* What the agent would find wrong as it opens it, NULL: nothing here. */
static const char *
file_fault(const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return "is a symbolic link, which is not followed; expected "
		       "the file itself, " LOSS;
	if (S_ISDIR(st->st_mode))
		return "is a folder; expected a file, " LOSS;
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		return "is a device; expected a file, " LOSS;
	return NULL;
}

static void
check_file(struct check *check, const struct agent *agent, const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	const char *trouble = room_trouble(folder);
	const char *fault;
	struct stat st;

	fault = lstat(path, &st) == 0 ? file_fault(&st) : NULL;
	if (fault != NULL)
		warn(check, path, fault);
	else if (trouble != NULL)
		finding(&check->findings, SEVERITY_WARNING, path,
		    "%s; expected room for lines, " LOSS, trouble);
	else if (!g_file_test(folder, G_FILE_TEST_IS_DIR))
		warn(check, path, "is in no folder; expected one, " LOSS);
	else if (agent != NULL)
		access_check_writable(check, agent, path, "there is no log");
}

static gboolean
has_postlogd(const struct check *check)
{
	for (guint i = 0; check->services != NULL && i < check->services->len;
	     i++) {
		const struct service *service = check->services->pdata[i];

		if (strcmp(service->name, "postlog") == 0)
			return TRUE;
	}
	return FALSE;
}

static void
check_postlog(struct check *check)
{
	g_autofree char *program = postlog_find();
	g_autofree char *file = NULL;

	if (program == NULL) {
		warn(check, check->conf,
		    "log = postlog, but there is no postlog(1); expected "
		    "Postfix's, " LOSS);
		return;
	}
	if (check->services == NULL)
		return;
	file = postconf_value(NULL, "maillog_file", TRUE, NULL);
	/* Then it goes to syslog by itself. */
	if (file == NULL || file[0] == '\0') {
		check_syslog(check);
		return;
	}
	if (!has_postlogd(check))
		warn(check, "master.cf",
		    "has no service postlog; expected postlog unix-dgram n - "
		    "n - 1 postlogd, " LOSS);
	access_check_set_gid(check, program, "postlogd(8)", LOSS);
}

void
check_log(struct check *check, const struct agent *agent)
{
	const char *log = check->settings->log;

	if (log == NULL)
		check_syslog(check);
	else if (strcmp(log, MAILLOG_POSTLOG) == 0)
		check_postlog(check);
	else
		check_file(check, agent, log);
}
