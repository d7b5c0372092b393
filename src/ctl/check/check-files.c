/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files and folders: nobody else writes what the agent trusts, and the agent's
 * user, who has no supplementary groups, gets at what it needs.
 */
#include <config.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/agent.h"
#include "ctl/check/access.h"
#include "ctl/check/check-files.h"
#include "ctl/check/check-log.h"
#include "hosts/statefile.h"
#include "route/routemap.h"
#include "util/room.h"
#include "util/trust.h"

/*
 * Can others than root and the agent change what is there, or what leads
 * there?  Says nothing of what is not there: who reads it says so.
 */
static void
check_trust(struct check *check, uid_t user, enum severity severity,
    const char *path, const char *harm)
{
	g_autofree char *fault = trust_fault(path, user);

	if (fault != NULL)
		finding(&check->findings, severity, path, "%s, or %s", fault,
		    harm);
}

static void
check_readable(struct check *check, const struct agent *agent, const char *path)
{
	if (g_file_test(path, G_FILE_TEST_EXISTS) &&
	    !access_can(agent, ACCESS_READ, path))
		finding(&check->findings, SEVERITY_ERROR, path,
		    "user %s cannot read it; expected access for this user, "
		    "who has no supplementary groups",
		    agent->name);
}

/* @loss: what happens without the folder. */
static void
check_folder(struct check *check, const struct agent *agent,
    enum severity severity, const char *path, const char *loss)
{
	const char *trouble;
	struct stat st;

	/* Who is not asked about may be kept from seeing it. */
	if (stat(path, &st) < 0 && errno == EACCES && agent == NULL)
		return;
	if (stat(path, &st) < 0)
		finding(&check->findings, severity, path,
		    "%s; expected a folder, without which %s",
		    g_strerror(errno), loss);
	else if (!S_ISDIR(st.st_mode))
		finding(&check->findings, severity, path,
		    "not a folder; expected one, without which %s", loss);
	else if ((trouble = room_trouble(path)) != NULL)
		finding(&check->findings, severity, path,
		    "%s; expected room for files, without which %s", trouble,
		    loss);
	else if (agent != NULL &&
	    !(access_can(agent, ACCESS_WRITE, path) &&
		access_can(agent, ACCESS_USE, path)))
		finding(&check->findings, severity, path,
		    "user %s cannot write there; expected access for this "
		    "user, without which %s",
		    agent->name, loss);
}

/* Files with secrets are check-secrets.c's. */
static void
check_changes(struct check *check, const struct agent *agent)
{
	static const char harm[] =
	    "others lead mail and credentials where they like";
	const struct settings *settings = check->settings;
	uid_t user = agent != NULL ? agent->uid : geteuid();
	g_autofree char *map = NULL;

	check_trust(check, user, SEVERITY_ERROR, check->conf, harm);
	if (check_knows(check, "routes")) {
		map = routemap_file(settings->routes);
		check_trust(check, user, SEVERITY_ERROR, map, harm);
	}
	if (agent != NULL && agent->program != NULL)
		check_trust(check, user, SEVERITY_ERROR, agent->program,
		    "others run what they like for the mail");
	/* That the agent is root check-service.c says. */
	if (agent != NULL && user != 0 && check_knows(check, "state-directory"))
		check_trust(check, user, SEVERITY_WARNING,
		    settings->state_directory,
		    "others make of it what they like");
}

/* What is no program at all is check-service.c's to say. */
static void
check_program(struct check *check, const struct agent *agent)
{
	if (agent->program != NULL &&
	    g_file_test(agent->program, G_FILE_TEST_IS_EXECUTABLE) &&
	    !access_can(agent, ACCESS_USE, agent->program))
		finding(&check->findings, SEVERITY_ERROR, agent->program,
		    "user %s cannot run it; expected access for this user",
		    agent->name);
}

/* Root may have made the file, by running the agent itself. */
static void
check_state(struct check *check, const struct agent *agent)
{
	static const char loss[] = "nothing is remembered of hosts";
	const char *folder = check->settings->state_directory;
	g_autofree char *path = g_build_filename(folder, STATEFILE_NAME, NULL);

	check_folder(check, agent, SEVERITY_WARNING, folder, loss);
	if (agent != NULL && g_file_test(path, G_FILE_TEST_EXISTS))
		access_check_writable(check, agent, path, loss);
}

/* @agent: NULL: nobody can be asked for. */
static void
check_access(struct check *check, const struct agent *agent)
{
	const struct settings *settings = check->settings;

	if (agent != NULL) {
		check_program(check, agent);
		check_readable(check, agent, check->conf);
		if (check_knows(check, "routes")) {
			g_autofree char *map = routemap_file(settings->routes);

			check_readable(check, agent, map);
		}
	}
	if (check_knows(check, "log"))
		check_log(check, agent);
	if (check_knows(check, "state-directory"))
		check_state(check, agent);
	if (check_knows(check, "spool-directory"))
		check_folder(check, agent, SEVERITY_ERROR,
		    settings->spool_directory,
		    "large messages wait in the queue");
}

void
check_files(struct check *check)
{
	struct agent *agent;

	if (check->settings == NULL)
		return;
	agent = agent_find(check->services, check->conf);
	check_changes(check, agent);
	if (agent != NULL && geteuid() != 0 && geteuid() != agent->uid) {
		finding(&check->findings, SEVERITY_NOTE, check->conf,
		    "what user %s can read and write is not checked; root can "
		    "do that",
		    agent->name);
		g_clear_pointer(&agent, agent_free);
	}
	check->agent = agent;
	check_access(check, agent);
}
