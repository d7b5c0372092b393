/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <pwd.h>
#include <string.h>

#include "ctl/postconf.h"
#include "ctl/postfix/status-service.h"

#define PROGRAM "smtproutectl"

char *
status_command(const struct postfix *postfix)
{
	gboolean plain = strcmp(postfix->conf, SETTINGS_PATH) == 0;

	return g_strdup_printf(SBINDIR "/" PROGRAM "%s%s serve",
	    plain ? "" : " -c ", plain ? "" : postfix->conf);
}

/* Does spawn(8) run our tool for it, and is that to serve? */
static gboolean
serves_status(const struct service *service)
{
	const GPtrArray *argv = service->argv;
	g_autofree char *name = NULL;

	if (strcmp(service->daemon, "spawn") != 0 || argv->len < 2)
		return FALSE;
	name = g_path_get_basename(g_ptr_array_index(argv, 0));
	return strcmp(name, PROGRAM) == 0 &&
	    strcmp(g_ptr_array_index(argv, argv->len - 1), "serve") == 0;
}

/* The settings that it reads. */
static const char *
conf_of(const struct service *service)
{
	for (guint i = 1; i + 1 < service->argv->len; i++) {
		if (strcmp(g_ptr_array_index(service->argv, i), "-c") == 0)
			return g_ptr_array_index(service->argv, i + 1);
	}
	return SETTINGS_PATH;
}

/* The agent with the settings @conf, or else any; NULL: there is none. */
static const struct service *
find_agent(const GPtrArray *services, const char *conf)
{
	const struct service *found = NULL;

	for (guint i = 0; i < services->len; i++) {
		const struct service *service = services->pdata[i];

		if (!service_is_smtproute(service))
			continue;
		if (service_reads(service, conf))
			return service;
		if (found == NULL)
			found = service;
	}
	return found;
}

static const char *
user_of(const GPtrArray *services, const char *conf)
{
	const struct service *agent = find_agent(services, conf);
	const char *user =
	    agent != NULL ? service_attribute(agent, "user") : NULL;

	return user != NULL ? user : SERVICE_USER;
}

static gboolean
check_user(const char *user, GError **error)
{
	g_autofree char *name = g_strndup(user, strcspn(user, ":"));

	if (getpwnam(name) != NULL)
		return TRUE;
	g_set_error(error, COMMAND_ERROR, COMMAND_ERROR_FAILED,
	    "user %s does not exist; expected the agent's", name);
	return FALSE;
}

gboolean
status_plan(const struct postfix *postfix, const GPtrArray *services,
    char **ret_edit, GError **error)
{
	const struct service *now =
	    postconf_find(services, STATUS_ADDRESS, "inet");
	const char *user = user_of(services, postfix->conf);
	g_autofree char *command = status_command(postfix);

	if (now != NULL && !serves_status(now)) {
		g_set_error(error, COMMAND_ERROR, COMMAND_ERROR_FAILED,
		    "master.cf: %s/inet does not run smtproutectl serve by "
		    "spawn; expected the port to be free",
		    STATUS_ADDRESS);
		return FALSE;
	}
	if (!check_user(user, error))
		return FALSE;
	if (now == NULL || strcmp(conf_of(now), postfix->conf) != 0)
		*ret_edit = g_strdup_printf(
		    "%s/inet=%s inet n n n - %s spawn user=%s argv=%s",
		    STATUS_ADDRESS, STATUS_ADDRESS, STATUS_PROCESSES, user,
		    command);
	return TRUE;
}
