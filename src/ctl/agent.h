/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom pipe(8) makes the agent.
 */
#ifndef SMTPROUTE_CTL_AGENT_H
#define SMTPROUTE_CTL_AGENT_H

#include <sys/types.h>

#include <glib.h>

struct agent {
	char *name; /* as messages show it */
	uid_t uid;
	gid_t gid;
	char *program; /* of the service; NULL: there is none yet */
};

/*
 * The first of @services (of master.cf; NULL: no Postfix) that reads the
 * settings @conf says who; without any service of ours it will be the usual
 * user.  NULL: nobody knows, or there is no such user.
 */
struct agent *
agent_find(const GPtrArray *services, const char *conf);

/* The user with this number and its primary group.  NULL: there is none. */
struct agent *
agent_of_user(uid_t uid);

/*
 * Root becomes the agent for good, as in pipe(8) without supplementary groups.
 * FALSE: see errno.  To be called in a child, too.
 */
gboolean
agent_become(const struct agent *agent);

/*
 * Calls @act with @data as the agent, and root is root again afterwards; who
 * is not root calls it as who they are.  FALSE: that could not be; see errno.
 */
gboolean
agent_act(const struct agent *agent, void (*act)(gpointer data), gpointer data);

void
agent_free(struct agent *agent);

/* For g_autoptr(), which wants one word. */
typedef struct agent Agent;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Agent, agent_free)

#endif
