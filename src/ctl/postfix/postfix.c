/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix: prints what Postfix's configuration needs for smtproute, or has it
 * put there.
 */

#include <config.h>

#include <getopt.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/postfix/postfix-apply.h"
#include "ctl/postfix/status-service.h"
#include "ctl/transport.h"

static void
print(const struct postfix *postfix)
{
	g_autofree char *command = postfix_command(postfix);
	g_autofree char *map = transport_pipemap(postfix->routes, SERVICE_NAME);

	say("# master.cf\n"
	    "%s unix  -  n  n  -  %s  pipe\n"
	    "  flags=hq user=%s null_sender=\n"
	    "  argv=%s\n\n",
	    SERVICE_NAME, POSTFIX_PROCESSES, SERVICE_USER, command);
	say("# main.cf\n"
	    "%s = 1\n"
	    "transport_maps = %s\n",
	    POSTFIX_LIMIT, map);
}

/* The same for lmtp(8) and spawn(8). */
static void
print_lmtp(const struct postfix *postfix)
{
	gboolean plain = g_str_equal(postfix->conf, SETTINGS_PATH);

	say("# master.cf\n"
	    "%s unix  -  n  n  -  %s  spawn\n"
	    "  user=%s argv=%s/smtproute -L%s%s\n\n",
	    SERVICE_LMTP, POSTFIX_PROCESSES, SERVICE_USER, SBINDIR,
	    plain ? "" : " -c ", plain ? "" : postfix->conf);
	say("# main.cf\n"
	    "%s_time_limit = 1d\n"
	    "lmtp_send_xforward_command = yes\n"
	    "transport_maps = pipemap:{texthash:%s, "
	    "static:{lmtp:unix:private/%s}}\n",
	    SERVICE_LMTP, postfix->routes, SERVICE_LMTP);
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
	/* What LMTP needs is printed only. */
	return optind == argc && !(ret->lmtp && (ret->apply || ret->status));
}

static enum ctl_status
carry_out(const struct postfix *postfix, const struct options *options)
{
	if (options->apply)
		return postfix_apply(postfix,
			   options->status ? APPLY_STATUS : APPLY_AGENT)
		    ? CTL_OK
		    : CTL_TROUBLE;
	if (options->lmtp)
		print_lmtp(postfix);
	else if (options->status)
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
	postfix = (struct postfix){conf, settings->routes};
	if (!check_paths(&postfix))
		return CTL_TROUBLE;
	return carry_out(&postfix, &options);
}
