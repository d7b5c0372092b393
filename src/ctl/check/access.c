/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <signal.h>
#include <unistd.h>

#include "ctl/agent.h"
#include "ctl/check/access.h"
#include "ctl/command.h"

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
