/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix: prints what Postfix's configuration needs for smtproute, or has it
 * put there.
 */

#include <config.h>

#include <getopt.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/lmtpclient.h"
#include "ctl/postfix/postfix-apply.h"
#include "ctl/postfix/status-service.h"
#include "ctl/transport.h"

static void
print(const struct postfix *postfix)
{
	g_autofree char *command = postfix_command(postfix);
	g_autofree char *map =
	    transport_pipemap(postfix->routes, postfix_transport(postfix));

	say("# master.cf\n"
	    "%s unix  -  n  n  -  %s  %s\n"
	    "  %s\n"
	    "  argv=%s\n\n",
	    postfix_name(postfix), POSTFIX_PROCESSES,
	    postfix->lmtp ? "spawn" : "pipe",
	    postfix->lmtp ? "user=" SERVICE_USER
			  : "flags=hq user=" SERVICE_USER " null_sender=",
	    command);
	say("# main.cf\n"
	    "%s\n"
	    "transport_maps = %s\n",
	    postfix->lmtp ? SERVICE_LMTP "_time_limit = " LMTPCLIENT_LIFE
					 "\n" LMTPCLIENT_XFORWARD " = yes"
			  : POSTFIX_LIMIT " = 1",
	    map);
}

static void
print_status(const struct postfix *postfix)
{
	g_autofree char *command = status_command(postfix);

	say("# master.cf\n" STATUS_ADDRESS
	    " inet  n  n  n  -  " STATUS_PROCESSES "  spawn\n"
	    "  user=%s argv=%s\n",
	    SERVICE_USER, command);
}

/* Can the paths stand in Postfix's files? */
static gboolean
check_paths(const struct postfix *postfix)
{
	const char *const paths[] = {postfix->conf, postfix->routes};

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		if (transport_path_is_plain(paths[i]))
			continue;
		complain("%s: Postfix's files cannot have this path; expected "
			 "one without blanks, commas, braces, quotes and the "
			 "like",
		    paths[i]);
		return FALSE;
	}
	return TRUE;
}

/* What was asked for. */
struct options {
	gboolean apply;
	gboolean lmtp;
	gboolean status;
};

static gboolean
take_options(int argc, char **argv, struct options *ret)
{
	static const struct option options[] = {
	    {"apply", no_argument, NULL, 'a'},
	    {"lmtp", no_argument, NULL, 'l'},
	    {"status", no_argument, NULL, 's'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a')
			ret->apply = TRUE;
		else if (option == 'l')
			ret->lmtp = TRUE;
		else if (option == 's')
			ret->status = TRUE;
		else
			return FALSE;
	}
	return optind == argc && !(ret->lmtp && ret->status);
}

static enum ctl_status
carry_out(const struct postfix *postfix, const struct options *options)
{
	if (options->apply)
		return postfix_apply(postfix,
			   options->status ? APPLY_STATUS : APPLY_AGENT)
		    ? CTL_OK
		    : CTL_TROUBLE;
	if (options->status)
		print_status(postfix);
	else
		print(postfix);
	return CTL_OK;
}

enum ctl_status
ctl_postfix(const struct ctl *ctl, int argc, char **argv)
{
	g_autoptr(Settings) settings = NULL;
	g_autofree char *conf = NULL;
	struct options options = {0};
	struct postfix postfix;

	if (!take_options(argc, argv, &options))
		return CTL_USAGE;
	settings = ctl_settings(ctl);
	if (settings == NULL)
		return CTL_TROUBLE;
	conf = g_canonicalize_filename(ctl->conf, NULL);
	postfix = (struct postfix){conf, settings->routes, options.lmtp};
	if (!check_paths(&postfix))
		return CTL_TROUBLE;
	return carry_out(&postfix, &options);
}
