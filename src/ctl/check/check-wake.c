/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What postqueue(1) looks at before it asks Postfix to try a message: its own
 * rights, the list of users, and for whom it reads which main.cf (user_acl.c,
 * mail_conf.c of Postfix).  It is not run, since it would talk to a Postfix
 * that works.
 */
#include <config.h>

#include <string.h>
#include <unistd.h>

#include "agent/wakeup.h"
#include "ctl/check/access.h"
#include "ctl/check/check-wake.h"
#include "ctl/postconf.h"
#include "ctl/transport.h"
#include "util/slurp.h"

#define ACL  "authorized_flush_users"
#define LOSS "without which mail that waits for a host is not woken"

/* More than any list of users. */
#define FILE_MAX (1024 * 1024)

enum leave {
	LEAVE_UNSAID, /* the list has no such user */
	LEAVE_DENIED,
	LEAVE_GRANTED, /* or nobody knows */
};

/* A word without files in it; others cannot be in a file. */
static enum leave
leave_by_word(const struct check *check, const char *word, const char *user)
{
	g_autofree char *value = NULL;
	gboolean granted = word[0] != '!';
	gboolean found;

	if (!granted)
		word++;
	if (g_str_has_prefix(word, "static:"))
		found = TRUE;
	else if (strchr(word, ':') == NULL)
		found = g_ascii_strcasecmp(word, user) == 0;
	/* What cannot be asked is none to complain about. */
	else if (tables_look_up(check->tables, word, user, &value, NULL))
		found = value != NULL;
	else
		return LEAVE_GRANTED;
	if (!found)
		return LEAVE_UNSAID;
	return granted ? LEAVE_GRANTED : LEAVE_DENIED;
}

static enum leave
leave_by_words(const struct check *check, char *const *words, const char *user)
{
	enum leave leave = LEAVE_UNSAID;

	for (; *words != NULL && leave == LEAVE_UNSAID; words++)
		leave = leave_by_word(check, *words, user);
	return leave;
}

/* "/path" and "!/path": the words of a file. */
static enum leave
leave_by_file(const struct check *check, const char *word, const char *user)
{
	const char *path = word[0] == '!' ? word + 1 : word;
	g_autofree char *text = NULL;
	g_autofree char *fault = NULL;
	g_auto(GStrv) words = NULL;
	enum leave leave;
	gsize length;

	fault = slurp(path, FILE_MAX, &text, &length);
	if (fault != NULL)
		return LEAVE_GRANTED;
	words = transport_split(text);
	leave = leave_by_words(check, words, user);
	if (path == word || leave == LEAVE_UNSAID)
		return leave;
	return leave == LEAVE_GRANTED ? LEAVE_DENIED : LEAVE_GRANTED;
}

/* The first word that fits decides. */
static gboolean
is_allowed(const struct check *check, const char *list, const char *user)
{
	g_auto(GStrv) words = transport_split(list);
	enum leave leave = LEAVE_UNSAID;

	for (gsize i = 0; words[i] != NULL && leave == LEAVE_UNSAID; i++) {
		const char *name = words[i][0] == '!' ? words[i] + 1 : words[i];

		leave = name[0] == '/' ? leave_by_file(check, words[i], user)
				       : leave_by_word(check, words[i], user);
	}
	return leave == LEAVE_GRANTED;
}

static void
check_acl(struct check *check, const struct agent *agent)
{
	g_autofree char *list = postconf_value(NULL, ACL, TRUE, NULL);

	if (list == NULL || is_allowed(check, list, agent->name))
		return;
	finding(&check->findings, SEVERITY_WARNING, "main.cf: " ACL,
	    "is \"%s\", which leaves out %s; expected this user in it, or "
	    "wake = no, " LOSS,
	    list, agent->name);
}

static gboolean
lists(const char *folder, const char *parameter, const char *wanted)
{
	g_autofree char *main = g_build_filename(folder, "main.cf", NULL);
	g_autofree char *value = NULL;
	g_auto(GStrv) words = NULL;

	/* Where there is none, postconf(1) takes a second to say so. */
	if (!g_file_test(main, G_FILE_TEST_EXISTS))
		return FALSE;
	value = postconf_value(folder, parameter, TRUE, NULL);
	words = transport_split(value != NULL ? value : "");
	return g_strv_contains((const char *const *)words, wanted);
}

/*
 * Only root may have postqueue(1) read any main.cf.  A note, since an
 * instance may be checked before it is made known.
 */
static void
check_folder(struct check *check)
{
	g_autofree char *usual = postconf_default("config_directory");
	g_autofree char *folder =
	    postconf_value(NULL, "config_directory", TRUE, NULL);

	if (usual == NULL || folder == NULL || strcmp(usual, folder) == 0 ||
	    lists(usual, "alternate_config_directories", folder) ||
	    lists(usual, "multi_instance_directories", folder))
		return;
	finding(&check->findings, SEVERITY_NOTE, "main.cf: config_directory",
	    "%s is not known to %s/main.cf; expected it in "
	    "alternate_config_directories there, " LOSS,
	    folder, usual);
}

static void
check_program(struct check *check, const struct agent *agent)
{
	g_autofree char *program = wakeup_find_postqueue();

	if (program == NULL)
		finding(&check->findings, SEVERITY_WARNING, check->conf,
		    "wake = yes, but there is no postqueue(1); expected "
		    "Postfix's, or wake = no, " LOSS);
	else if (check->agent != NULL &&
	    !access_can(agent, ACCESS_USE, program))
		finding(&check->findings, SEVERITY_WARNING, program,
		    "user %s cannot run it; expected access for this user, or "
		    "wake = no, " LOSS,
		    agent->name);
	else
		access_check_set_gid(check, program, "Postfix's queue", LOSS);
}

void
check_wake(struct check *check)
{
	g_autoptr(Agent) agent = NULL;

	if (check->services == NULL || check->settings == NULL ||
	    !check_knows(check, "wake") || check->settings->wake != ANSWER_YES)
		return;
	agent = agent_find(check->services, check->conf);
	if (agent == NULL)
		return;
	check_program(check, agent);
	check_acl(check, agent);
	check_folder(check);
}
