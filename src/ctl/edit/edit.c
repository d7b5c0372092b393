/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edit: does for the route map what vipw(8) does for passwd(5).
 */

#include <config.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/check/check-map.h"
#include "ctl/ctl.h"
#include "ctl/edit/draft.h"
#include "ctl/edit/original.h"
#include "ctl/edit/tell-postfix.h"
#include "route/maplmdb.h"

struct edit {
	const struct ctl *ctl;
	const char *routes; /* as in the settings */
	struct original *original;
	struct draft *draft;
	char *text; /* of the draft */
	gsize length;
};

enum choice {
	CHOICE_LEAVE, /* zero: nothing is changed */
	CHOICE_AGAIN,
	CHOICE_INSTALL,
};

/* The text that the map is, or is made of; a new string. */
static char *
text_path(const char *routes)
{
	return g_strdup(maplmdb_is(routes) ? strchr(routes, ':') + 1 : routes);
}

/* What is typed at the end of input is nothing. */
static enum choice
ask(void)
{
	char line[80];

	for (;;) {
		say("Edit again (e), install it all the same (i), or leave "
		    "the map as it is (l)? ");
		if (!say_flush() || fgets(line, sizeof(line), stdin) == NULL)
			return CHOICE_LEAVE;
		switch (line[0]) {
		case 'e':
			return CHOICE_AGAIN;
		case 'i':
			return CHOICE_INSTALL;
		case 'l':
			return CHOICE_LEAVE;
		default:
			break;
		}
	}
}

/* What to do with the draft, of which the check has been said. */
static enum choice
choose(const struct edit *edit)
{
	struct findings findings = {0};

	check_map(edit->ctl->conf, edit->draft->path, &findings);
	if (findings.errors == 0 && findings.warnings == 0)
		return CHOICE_INSTALL;
	if (isatty(STDIN_FILENO))
		return ask();
	/* Warnings may well be of long ago. */
	if (findings.errors == 0)
		return CHOICE_INSTALL;
	complain("the map has errors, and there is no terminal to ask at");
	return CHOICE_LEAVE;
}

static gboolean
is_unchanged(const struct edit *edit)
{
	return edit->length == edit->original->length &&
	    memcmp(edit->text, edit->original->text, edit->length) == 0;
}

/* FALSE: complain() has said why. */
static gboolean
edit_once(struct edit *edit)
{
	if (!draft_edit(edit->draft))
		return FALSE;
	g_clear_pointer(&edit->text, g_free);
	edit->text = draft_read(edit->draft, &edit->length);
	return edit->text != NULL;
}

static enum ctl_status
install(const struct edit *edit)
{
	const struct original *original = edit->original;
	gboolean keys_differ = tell_postfix_keys_differ(original->text,
	    original->length, edit->text, edit->length);

	if (!original_replace(original, edit->text, edit->length)) {
		edit->draft->keep = TRUE;
		complain("%s is as it was; your text is in %s", original->path,
		    edit->draft->path);
		return CTL_TROUBLE;
	}
	say("%s: installed\n", original->path);
	return tell_postfix(edit->routes, keys_differ) ? CTL_OK : CTL_TROUBLE;
}

static enum ctl_status
run(struct edit *edit)
{
	enum choice choice;

	do {
		if (!edit_once(edit)) {
			complain("%s is as it was", edit->original->path);
			return CTL_TROUBLE;
		}
		if (is_unchanged(edit)) {
			say("%s: no change\n", edit->original->path);
			return CTL_OK;
		}
		choice = choose(edit);
	} while (choice == CHOICE_AGAIN);
	if (choice == CHOICE_INSTALL)
		return install(edit);
	edit->draft->keep = TRUE;
	complain("%s is as it was; your text is in %s", edit->original->path,
	    edit->draft->path);
	return CTL_NO;
}

enum ctl_status
ctl_edit(const struct ctl *ctl, int argc, char **argv)
{
	g_autoptr(Settings) settings = NULL;
	g_autoptr(Original) original = NULL;
	g_autoptr(Draft) draft = NULL;
	g_autofree char *path = NULL;
	struct edit edit = {.ctl = ctl};
	enum ctl_status status;

	if (getopt(argc, argv, "") != -1 || optind < argc)
		return CTL_USAGE;
	settings = ctl_settings(ctl);
	if (settings == NULL)
		return CTL_TROUBLE;
	path = text_path(settings->routes);
	original = original_open(path);
	if (original == NULL)
		return CTL_TROUBLE;
	draft = draft_new(original->text, original->length);
	if (draft == NULL)
		return CTL_TROUBLE;
	edit.routes = settings->routes;
	edit.original = original;
	edit.draft = draft;
	status = run(&edit);
	g_free(edit.text);
	return status;
}
