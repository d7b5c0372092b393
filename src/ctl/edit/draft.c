/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/edit/draft.h"
#include "ctl/scratch.h"
#include "route/routemap.h"
#include "util/slurp.h"

/* Debian's choice of an editor, and the one that every system has. */
static const char *const usual[] = {"editor", "vi"};

struct draft *
draft_new(const char *text, gsize length)
{
	g_autoptr(Draft) draft = g_new0(struct draft, 1);
	g_autoptr(GError) error = NULL;

	draft->folder = scratch_make();
	if (draft->folder == NULL)
		return NULL;
	draft->path = g_build_filename(draft->folder, "routes", NULL);
	if (!g_file_set_contents(draft->path, text, (gssize)length, &error)) {
		complain("%s", error->message);
		return NULL;
	}
	return g_steal_pointer(&draft);
}

/* A new string; NULL: there is none. */
static char *
find_editor(void)
{
	static const char *const names[] = {"VISUAL", "EDITOR"};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		const char *value = g_getenv(names[i]);

		if (value != NULL && value[0] != '\0')
			return g_strdup(value);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(usual); i++) {
		g_autofree char *path = g_find_program_in_path(usual[i]);

		/* These want somebody who types. */
		if (path != NULL && isatty(STDIN_FILENO))
			return g_strdup(usual[i]);
	}
	return NULL;
}

/* In the child, where they are the editor's own. */
static void
take_signals(gpointer data G_GNUC_UNUSED)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
}

/* What is typed to interrupt the editor is not for us. */
static gboolean
run(char **argv, int *ret_status, GError **error)
{
	void (*interrupt)(int) = signal(SIGINT, SIG_IGN);
	void (*quit)(int) = signal(SIGQUIT, SIG_IGN);
	gboolean done = g_spawn_sync(NULL, argv, NULL,
	    G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN, take_signals,
	    NULL, NULL, NULL, ret_status, error);

	signal(SIGINT, interrupt);
	signal(SIGQUIT, quit);
	return done;
}

static gboolean
parse(const char *editor, const char *path, char ***ret_argv, GError **error)
{
	g_auto(GStrv) words = NULL;
	int count;

	if (!g_shell_parse_argv(editor, &count, &words, error))
		return FALSE;
	*ret_argv = g_renew(char *, g_steal_pointer(&words), count + 2);
	(*ret_argv)[count] = g_strdup(path);
	(*ret_argv)[count + 1] = NULL;
	return TRUE;
}

gboolean
draft_edit(const struct draft *draft)
{
	g_autofree char *editor = find_editor();
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) argv = NULL;
	int status = 0;

	if (editor == NULL) {
		complain("no editor; expected one in $VISUAL or $EDITOR, or "
			 "a terminal");
		return FALSE;
	}
	/* What was said so far comes before what the editor shows. */
	if (!say_flush())
		return FALSE;
	if (!parse(editor, draft->path, &argv, &error) ||
	    !run(argv, &status, &error)) {
		complain("editor %s: %s", editor, error->message);
		return FALSE;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return TRUE;
	if (WIFEXITED(status))
		complain("editor %s: fails with status %d", editor,
		    WEXITSTATUS(status));
	else
		complain("editor %s: ended by signal %d", editor,
		    WTERMSIG(status));
	return FALSE;
}

char *
draft_read(const struct draft *draft, gsize *ret_length)
{
	char *text = NULL;
	g_autofree char *reason =
	    slurp(draft->path, ROUTEMAP_SIZE_MAX, &text, ret_length);

	if (reason != NULL)
		complain("%s: %s", draft->path, reason);
	return text;
}

void
draft_free(struct draft *draft)
{
	if (draft->folder != NULL && !draft->keep)
		scratch_remove(draft->folder);
	g_free(draft->folder);
	g_free(draft->path);
	g_free(draft);
}
