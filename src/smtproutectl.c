/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smtproutectl(8): the administrator's tool.
 */

#include <config.h>

#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"

static const struct command {
	const char *name;
	const char *arguments;
	ctl_command *run;
} commands[] = {
    {"check", "", ctl_check},
    {"route", "[-n nexthop] user@domain", ctl_route},
    {"hosts", "[--json | --openmetrics | --watch[=seconds]] [host ...]",
	ctl_hosts},
    {"probe", "domain | host", ctl_probe},
    {"drain", "host ...", ctl_drain},
    {"resume", "host ...", ctl_drain},
    {"retry", "[host ...]", ctl_drain},
    {"import", "[--format=esa|qmail|mailertable|transport] file", ctl_import},
    {"postfix", "[--apply]", ctl_postfix},
};

/* A new string. */
static char *
usage_of(const struct command *command)
{
	return g_strconcat("usage: smtproutectl [-c conf] ", command->name,
	    command->arguments[0] != '\0' ? " " : "", command->arguments, NULL);
}

static void
complain_usage(const struct command *command)
{
	g_autofree char *line = usage_of(command);

	complain("%s", line);
}

static void
say_usage(const struct command *command)
{
	g_autofree char *line = usage_of(command);

	say("%s\n", line);
}

static const struct command *
find_command(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

#define USAGE                                                                  \
	"usage: smtproutectl [-c conf] command [options] [arguments]; "        \
	"commands:"

static enum ctl_status
usage(void)
{
	complain("%s", USAGE);
	for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
		complain_usage(&commands[i]);
	return CTL_TROUBLE;
}

static enum ctl_status
help(void)
{
	say("%s\n", USAGE);
	for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
		say_usage(&commands[i]);
	return CTL_OK;
}

static gboolean
is_help(const char *word)
{
	return strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0;
}

static enum ctl_status
run_command(const struct ctl *ctl, int argc, char **argv)
{
	const struct command *command = find_command(argv[0]);
	enum ctl_status status;

	if (command == NULL) {
		complain("unknown command \"%s\"", argv[0]);
		return usage();
	}
	if (argc == 2 && is_help(argv[1])) {
		say_usage(command);
		return CTL_OK;
	}
	optind = 0;
	status = command->run(ctl, argc, argv);
	if (status != CTL_USAGE)
		return status;
	complain_usage(command);
	return CTL_TROUBLE;
}

static enum ctl_status
run(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	while (
	    (option = getopt_long(argc, argv, "+c:hV", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			ctl->conf = optarg;
			break;
		case 'V':
			say("%s\n", PACKAGE_STRING);
			return CTL_OK;
		case 'h':
			return help();
		default:
			return usage();
		}
	}
	return optind == argc ? usage()
			      : run_command(ctl, argc - optind, argv + optind);
}

/* https://no-color.org: set to anything but nothing. */
static gboolean
wants_colour(void)
{
	const char *term = g_getenv("TERM");
	const char *no_color = g_getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && term != NULL &&
	    strcmp(term, "dumb") != 0 &&
	    (no_color == NULL || no_color[0] == '\0');
}

int
main(int argc, char **argv)
{
	struct ctl ctl = {.conf = SETTINGS_PATH, .colour = wants_colour()};
	enum ctl_status status = run(&ctl, argc, argv);

	return say_flush() ? (int)status : CTL_TROUBLE;
}
