/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "ctl/agent.h"
#include "ctl/service.h"

static struct agent *
agent_new(const struct passwd *entry)
{
	struct agent *agent = g_new0(struct agent, 1);

	agent->name = g_strdup(entry->pw_name);
	agent->uid = entry->pw_uid;
	agent->gid = entry->pw_gid;
	return agent;
}

/* "user" or "user:group". */
static struct agent *
agent_by_name(const char *user)
{
	g_auto(GStrv) parts = g_strsplit(user, ":", 2);
	const struct passwd *entry;
	const struct group *group;
	g_autoptr(Agent) agent = NULL;

	if (parts[0] == NULL)
		return NULL;
	entry = getpwnam(parts[0]);
	if (entry == NULL)
		return NULL;
	agent = agent_new(entry);
	if (parts[1] == NULL)
		return g_steal_pointer(&agent);
	group = getgrnam(parts[1]);
	if (group == NULL)
		return NULL;
	agent->gid = group->gr_gid;
	return g_steal_pointer(&agent);
}

struct agent *
agent_find(const GPtrArray *services, const char *conf)
{
	gboolean ours = FALSE;

	for (guint i = 0; services != NULL && i < services->len; i++) {
		const struct service *service = services->pdata[i];
		const char *user = service_attribute(service, "user");
		struct agent *agent;

		if (!service_is_smtproute(service))
			continue;
		ours = TRUE;
		if (user == NULL || !service_reads(service, conf))
			continue;
		agent = agent_by_name(user);
		if (agent != NULL)
			agent->program = g_strdup(service->argv->pdata[0]);
		return agent;
	}
	return ours ? NULL : agent_by_name(SERVICE_USER);
}

struct agent *
agent_of_user(uid_t uid)
{
	const struct passwd *entry = getpwuid(uid);

	return entry == NULL ? NULL : agent_new(entry);
}

gboolean
agent_become(const struct agent *agent)
{
	return setgroups(0, NULL) == 0 && setgid(agent->gid) == 0 &&
	    setuid(agent->uid) == 0;
}

/* For a while: the real user stays root, who may come back. */
static gboolean
enter(const struct agent *agent)
{
	return setgroups(0, NULL) == 0 && setegid(agent->gid) == 0 &&
	    seteuid(agent->uid) == 0;
}

static gboolean
leave(gid_t gid, int count, const gid_t *groups)
{
	return seteuid(0) == 0 && setegid(gid) == 0 &&
	    setgroups((gsize)count, groups) == 0;
}

gboolean
agent_act(const struct agent *agent, void (*act)(gpointer data), gpointer data)
{
	int count = getgroups(0, NULL);
	g_autofree gid_t *groups = g_new(gid_t, MAX(count, 1));
	gid_t gid = getegid();
	gboolean entered;

	if (geteuid() != 0) {
		act(data);
		return TRUE;
	}
	count = getgroups(count, groups);
	if (count < 0)
		return FALSE;
	entered = enter(agent);
	if (entered)
		act(data);
	return leave(gid, count, groups) && entered;
}

void
agent_free(struct agent *agent)
{
	g_free(agent->name);
	g_free(agent->program);
	g_free(agent);
}
