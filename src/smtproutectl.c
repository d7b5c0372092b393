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
	const char *purpose;
	gboolean wakes; /* mail, after it: ctl_wake() */
} commands[] = {
    {"check", "[--json] [--no-dns] [--routes=map] [domain ...]", ctl_check,
	"say what is wrong with settings, routes and Postfix's configuration",
	FALSE},
    {"route", "[--json] user@domain | -n nexthop [user@domain]", ctl_route,
	"explain where mail for an address or a nexthop goes, and why", TRUE},
    {"hosts",
	"[--all] [--down] [--check | --json | --metrics | --openmetrics | "
	"--watch[=seconds]] [host | domain ...]",
	ctl_hosts, "show which hosts are up, down or drained", TRUE},
    {"probe", "[--all] [--json] domain | host", ctl_probe,
	"talk to the hosts of a route, without sending mail", TRUE},
    {"drain", "host ...", ctl_drain, "give hosts no new mail", TRUE},
    {"resume", "host ...", ctl_drain, "give drained hosts mail again", TRUE},
    {"retry", "[host ...]", ctl_drain,
	"have hosts that are down tried with the next message", TRUE},
    {"forget", "host ...", ctl_drain, "forget what is remembered of hosts",
	TRUE},
    {"queue",
	"[--check [-w messages[,age]] [-c messages[,age]] | --flush | "
	"--json] [route | domain | host ...]",
	ctl_queue, "show what waits in Postfix's queue, or have it tried",
	TRUE},
    {"trace", "[--json] [--log=file ...] queue-id", ctl_trace,
	"tell what the maillog has of a message, as one story", FALSE},
    {"import", "[--format=esa|qmail|mailertable|transport] file", ctl_import,
	"make a route map of another system's table", FALSE},
    {"edit", "", ctl_edit,
	"edit the route map, check it, and have it take effect", FALSE},
    {"serve", "", ctl_serve,
	"answer an HTTP request: a status page, metrics, JSON", FALSE},
    {"postfix", "[--apply] [--lmtp | --status]", ctl_postfix,
	"print what Postfix needs in main.cf and master.cf, or set it", FALSE},
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

static void
say_usage(const struct command *command)
{
	g_autofree char *line = usage_of(command);

	say("%s\n\t%s\n", line, command->purpose);
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
run_command(struct ctl *ctl, int argc, char **argv)
{
	const struct command *command = find_command(argv[0]);
	g_autofree char *called = NULL;
	enum ctl_status status;

	if (command == NULL) {
		complain("unknown command \"%s\"", argv[0]);
		return usage();
	}
	if (argc == 2 && is_help(argv[1])) {
		say_usage(command);
		return CTL_OK;
	}
	/* What getopt(3) complains as. */
	called = g_strconcat("smtproutectl: ", command->name, NULL);
	argv[0] = called;
	ctl->command = command->name;
	optind = 0;
	status = command->run(ctl, argc, argv);
	if (status == CTL_USAGE) {
		complain_usage(command);
		return CTL_TROUBLE;
	}
	ctl->wakes = command->wakes;
	return status;
}

static enum ctl_status
run(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	char name[] = "smtproutectl";
	int option;

	if (argc > 0)
		argv[0] = name;
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

	if (!say_flush())
		return CTL_TROUBLE;
	/* Behind that, or its process would have what was said, too. */
	if (ctl.wakes)
		ctl_wake(&ctl);
	return status;
}
