/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/agent.h"
#include "ctl/ctl.h"
#include "ctl/postconf.h"

struct settings *
ctl_settings(const struct ctl *ctl)
{
	g_autoptr(GError) error = NULL;
	struct settings *settings = settings_load(ctl->conf, &error);

	if (settings == NULL)
		complain("%s", error->message);
	return settings;
}

gboolean
ctl_has_postfix(void)
{
	const char *folder = g_getenv("MAIL_CONFIG");
	g_autofree char *path = NULL;

	path = g_build_filename(folder != NULL ? folder : "/etc/postfix",
	    "main.cf", NULL);
	return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* What is wrong with Postfix's configuration is for "check" to say. */
static struct agent *
find_agent(const char *conf)
{
	g_autoptr(GPtrArray) services =
	    ctl_has_postfix() ? postconf_services(NULL, NULL) : NULL;

	return agent_find(services, conf);
}

/*
 * The folder's owner.  FALSE: complain() has said why.  *ret_agent stays NULL
 * if that is root, or if there is no folder.
 */
static gboolean
find_owner(const char *path, struct agent **ret_agent)
{
	/* lstat(2) would follow a link before a final slash. */
	g_autofree char *plain = g_canonicalize_filename(path, "/");
	struct stat st;

	if (lstat(plain, &st) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return TRUE;
		complain("%s: %s", path, g_strerror(errno));
		return FALSE;
	}
	/* Anybody can make one that leads to root's folders. */
	if (S_ISLNK(st.st_mode)) {
		complain("%s: is a link; expected a folder, whose owner root "
			 "becomes",
		    path);
		return FALSE;
	}
	if (st.st_uid == 0)
		return TRUE;
	/* Not the folder's group, which "chown user" leaves root's. */
	*ret_agent = agent_of_user(st.st_uid);
	if (*ret_agent == NULL)
		complain("%s: its owner, %u, is no user here", path,
		    (guint)st.st_uid);
	return *ret_agent != NULL;
}

gboolean
ctl_become_agent(const struct ctl *ctl, const struct settings *settings)
{
	const char *path = settings->state_directory;
	g_autoptr(Agent) agent = NULL;
	g_autoptr(Agent) owner = NULL;
	const struct agent *chosen;

	if (geteuid() != 0)
		return TRUE;
	agent = find_agent(ctl->conf);
	/* Whom master.cf does not name is just likely, for the usual file. */
	if (agent != NULL && agent->program == NULL &&
	    strcmp(ctl->conf, SETTINGS_PATH) != 0)
		g_clear_pointer(&agent, agent_free);
	if ((agent == NULL || agent->program == NULL) &&
	    !find_owner(path, &owner))
		return FALSE;
	chosen = owner != NULL ? owner : agent;
	if (chosen == NULL || agent_become(chosen))
		return TRUE;
	complain("%s: cannot become user %s: %s", path, chosen->name,
	    g_strerror(errno));
	return FALSE;
}
