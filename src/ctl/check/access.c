/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/agent.h"
#include "ctl/check/access.h"
#include "ctl/command.h"
#include "ctl/postconf.h"

/* In the child: as pipe(8) does.  What cannot be is no answer. */
static void
become(gpointer data)
{
	if (!agent_become(data))
		raise(SIGKILL);
}

gboolean
access_can(const struct agent *agent, const char *what, const char *path)
{
	const char *const argv[] = {"test", what, path, NULL};
	struct agent copy = *agent;
	const struct command command = {
	    .argv = argv,
	    .prepare = geteuid() == 0 ? become : NULL,
	    .data = &copy,
	};
	g_autofree char *output = NULL;
	g_autofree char *complaint = NULL;

	return command_run(&command, &output, &complaint, NULL) != 1;
}

void
access_check_writable(struct check *check, const struct agent *agent,
    const char *path, const char *loss)
{
	g_autofree char *folder = g_path_get_dirname(path);
	gboolean exists = g_file_test(path, G_FILE_TEST_EXISTS);
	gboolean writable = exists ? access_can(agent, ACCESS_WRITE, path)
				   : access_can(agent, ACCESS_WRITE, folder) &&
		access_can(agent, ACCESS_USE, folder);

	if (!writable)
		finding(&check->findings, SEVERITY_WARNING, path,
		    "user %s cannot write it; expected access for this user, "
		    "without which %s",
		    agent->name, loss);
}

void
access_check_set_gid(struct check *check, const char *program, const char *what,
    const char *loss)
{
	g_autofree char *name =
	    postconf_value(NULL, "setgid_group", TRUE, NULL);
	const struct group *group = name != NULL ? getgrnam(name) : NULL;
	struct stat st;

	if (group == NULL || stat(program, &st) < 0 ||
	    ((st.st_mode & S_ISGID) != 0 && st.st_gid == group->gr_gid))
		return;
	finding(&check->findings, SEVERITY_WARNING, program,
	    "is not set-gid %s and cannot get to %s; expected postfix "
	    "set-permissions, or mode 2755 and group %s, %s",
	    name, what, name, loss);
}
